package dev.pi0stream.job.verify;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.job.watch.WatchedDevice;
import java.util.ArrayList;
import java.util.List;

/**
 * A device that notes at which positions rows are rotated and what they attend, so that positions
 * and attention masks are compared as the policy really uses them. Everything else passes through.
 */
final class ObservedDevice {
  private final Device device;
  private final List<int[]> positions = new ArrayList<>();
  private final List<Attention> attentions = new ArrayList<>();

  /**
   * A call of attention.
   *
   * @param own the rows that attend
   * @param context the rows of keys and values before them; null for none
   */
  record Attention(Sequences own, Sequences context) {}

  /**
   * What was noted.
   *
   * @param positions of each call of {@code rotation}
   * @param attentions those calls with a context, in order
   */
  record Notes(List<int[]> positions, List<Attention> attentions) {}

  ObservedDevice(Device observed) {
    device =
        WatchedDevice.of(observed, (method, arguments, _) -> note(method.getName(), arguments));
  }

  /** The device to compute with. */
  Device device() {
    return device;
  }

  /** Forgets what was noted. */
  void reset() {
    positions.clear();
    attentions.clear();
  }

  /** What was noted since the last reset. */
  Notes notes() {
    return new Notes(List.copyOf(positions), List.copyOf(attentions));
  }

  private void note(String method, Object[] arguments) {
    if (method.equals("rotation")) {
      positions.add(((int[]) arguments[0]).clone());
    } else if (method.equals("attention") && arguments.length == 5) {
      Mask mask = (Mask) arguments[2];
      attentions.add(new Attention(mask.sequences(), mask.context()));
    }
  }
}
