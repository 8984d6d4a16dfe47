package dev.pi0stream.operators.observation;

import java.io.Serializable;

/**
 * What an observation may hold, whatever the policy; bounds memory and time spent on one message.
 *
 * @param nameBytes of a robot's, an episode's or a camera's name in UTF-8
 * @param promptBytes of an instruction in UTF-8
 * @param stateNumbers of a joint state
 * @param remainingNumbers of the rest of a chunk in execution
 * @param cameras in one observation
 * @param frameBytes of one frame as it is sent
 */
public record ObservationLimits(
    int nameBytes,
    int promptBytes,
    int stateNumbers,
    int remainingNumbers,
    int cameras,
    int frameBytes)
    implements Serializable {
  /** Far beyond what robots send: 8 KiB of prompt, 32 cameras of at most 16 MiB. */
  public static final ObservationLimits DEFAULT =
      new ObservationLimits(256, 8 << 10, 1024, 64 << 10, 32, 16 << 20);
}
