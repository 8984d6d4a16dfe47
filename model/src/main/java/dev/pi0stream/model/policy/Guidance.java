package dev.pi0stream.model.policy;

import java.util.Objects;

/**
 * Real-time chunking (Black, Galliker, Levine 2025) in LeRobot's form: the new chunk is pulled
 * towards the rest of the chunk that the robot is executing, without a Jacobian.
 *
 * @param previous the rest of the chunk in execution, in model units, step after step
 * @param previousRows its steps, at most the horizon; fewer shrink the execution horizon
 * @param previousColumns its columns, at most the model's; missing ones count as 0
 * @param delay steps that will have been executed when this chunk arrives; not negative
 * @param executionHorizon steps that are held to {@code previous} at all
 * @param maxWeight upper bound of the guidance weight
 */
public record Guidance(
    float[] previous,
    int previousRows,
    int previousColumns,
    int delay,
    int executionHorizon,
    Schedule schedule,
    float maxWeight) {

  /** How the weight falls from the delay to the execution horizon. */
  public enum Schedule {
    /** 1 up to the delay, then 0. */
    ZEROS,
    /** 1 up to the horizon. */
    ONES,
    /** 1 up to the delay, then falling evenly. */
    LINEAR,
    /** 1 up to the delay, then {@code w·(eʷ−1)/(e−1)} of the linear weight {@code w}. */
    EXP
  }

  public Guidance {
    Objects.requireNonNull(schedule, "schedule");
    if (previous.length != previousRows * previousColumns) {
      throw new IllegalArgumentException(
          "leftover of %d × %d steps has %d numbers"
              .formatted(previousRows, previousColumns, previous.length));
    }
    if (delay < 0) {
      throw new IllegalArgumentException("inference delay " + delay + ": expected 0 or more");
    }
  }
}
