package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import java.util.List;
import java.util.Optional;

/**
 * What follows the prefix, and the only place where π0 and π0.5 differ: how the state and the time
 * of a denoising step reach the action rows.
 */
public sealed interface Suffix extends AutoCloseable permits Pi0Suffix, Pi05Suffix {
  /** Gives a checkpoint's suffix to a device. */
  static Suffix load(Device device, PolicyWeights checkpoint) {
    return switch (checkpoint.config().type()) {
      case PI0 -> Pi0Suffix.load(device, checkpoint);
      case PI05 -> Pi05Suffix.load(device, checkpoint);
    };
  }

  /** Rows of the suffix before the first action; they do not change from step to step. */
  int leadingRows();

  /** Numbers of a state that {@link #leading} wants; 0 if none. */
  int stateColumns();

  /**
   * The rows before the actions, given to the device.
   *
   * @param values robots × state columns
   * @param plan how they attend the prefixes
   */
  record Leading(Tensor values, AttentionPlan plan) {}

  /**
   * Gives the rows before the actions to the device.
   *
   * @param prefixes the rows of each robot's prefix
   * @param states each robot's padded state
   * @return empty where there are no such rows
   */
  Optional<Leading> leading(Sequences prefixes, List<float[]> states, ActionExpert expert);

  /**
   * What the action rows of each robot attend besides themselves.
   *
   * @param prefixes each robot's prefix
   * @param leading of {@link #leading}
   * @return as many sequences
   */
  KeyValues context(
      List<Device.Part> prefixes, Optional<Leading> leading, ActionExpert expert, Probe probe);

  /**
   * Some prefixes as the sequences of one: the very same where that is what they are.
   *
   * @return the source of the parts, or a new one
   */
  static KeyValues gather(Device device, List<Device.Part> prefixes) {
    KeyValues first = prefixes.getFirst().source();
    boolean same = first.sequences().count() == prefixes.size();
    for (int i = 0; i < prefixes.size(); i++) {
      same &= prefixes.get(i).equals(new Device.Part(first, i));
    }
    return same ? first : device.join(prefixes.stream().map(List::of).toList());
  }

  /**
   * All of a denoising step that depends on neither robot nor actions; computed once and kept. What
   * is made belongs to the caller, or to the scope around the call.
   */
  Step step(float time);

  /** One step's constants. */
  sealed interface Step extends AutoCloseable permits Pi0Suffix.TimeMixed, Pi05Suffix.Conditioned {
    /** The time of the step, from 1 (noise) to 0 (data). */
    float time();

    /** Embeds noisy actions, rows × action columns: rows × width of the expert. */
    Tensor embed(Tensor actions);

    /** What the time does to the expert's norms. */
    Modulation.OfStack modulation();

    /** Shows the step's constants to a probe. */
    void show(Probe probe, int step);

    @Override
    void close();
  }

  @Override
  void close();
}
