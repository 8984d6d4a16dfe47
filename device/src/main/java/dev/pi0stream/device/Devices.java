package dev.pi0stream.device;

import dev.pi0stream.device.cpu.CpuDevice;
import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.device.tt.TtChips;
import java.util.List;

/** The back ends by name. */
public final class Devices {
  /** The names that {@link #open} takes; {@code tt:N} is the chip of that index. */
  public static final List<String> NAMES = List.of("cpu", "reference", "tt", "tt:N");

  private static final String CHIP = "tt(:\\d{1,4})?";

  private Devices() {}

  /** The precision of a device that is asked for without one: a card's memory is for weights. */
  public static Precision defaultPrecision(String name) {
    return name.startsWith("tt") ? Precision.BFP8 : Precision.FP32;
  }

  /**
   * Opens a device.
   *
   * @param name one of {@link #NAMES}
   * @throws IllegalArgumentException where there is no such back end, or not in this precision
   * @throws DeviceException where the machine cannot run it
   */
  public static Device open(String name, Precision precision) {
    return switch (name) {
      case "reference" -> {
        if (precision != Precision.FP32) {
          throw new IllegalArgumentException(
              "device 'reference' computes in fp32 only, not in " + precision.label());
        }
        yield new ReferenceDevice();
      }
      case "cpu" -> CpuDevice.open(precision);
      case String chip when chip.matches(CHIP) ->
          TtChips.open(chip.length() < 3 ? 0 : Integer.parseInt(chip.substring(3)), precision);
      default ->
          throw new IllegalArgumentException(
              "device '%s': expected one of %s".formatted(name, String.join(", ", NAMES)));
    };
  }
}
