package dev.pi0stream.model.policy;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Real-time chunking (Black, Galliker, Levine 2025) in LeRobot's form: the new chunk is pulled
 * towards the rest of the chunk that the robot is executing, without a Jacobian. LeRobot's {@code
 * RTCProcessor}.
 *
 * @param previous the rest of the chunk in execution, in model units, step after step
 * @param previousRows its steps, at most the horizon; fewer shrink the execution horizon
 * @param previousColumns its columns, at most the model's; missing ones count as 0
 * @param delay steps that will have been executed when this chunk arrives; not negative
 * @param executionHorizon steps that are held to {@code previous} at all; not negative
 * @param maxWeight upper bound of the guidance weight; positive
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
    if (previousRows < 0
        || previousColumns < 0
        || previous.length != (long) previousRows * previousColumns) {
      throw new IllegalArgumentException(
          "leftover of %d × %d steps has %d numbers"
              .formatted(previousRows, previousColumns, previous.length));
    }
    if (delay < 0) {
      throw new IllegalArgumentException("inference delay " + delay + ": expected 0 or more");
    }
    if (executionHorizon < 0) {
      throw new IllegalArgumentException(
          "execution horizon " + executionHorizon + ": expected 0 or more");
    }
    if (!(maxWeight > 0)) {
      throw new IllegalArgumentException(
          "greatest guidance weight " + maxWeight + ": expected a positive number");
    }
  }

  /**
   * How strongly each step of a chunk is held to the leftover. A leftover shorter than the
   * execution horizon shrinks it.
   *
   * @param chunk steps of the chunk
   */
  public float[] weights(int chunk) {
    return weights(schedule, delay, Math.min(executionHorizon, previousRows), chunk);
  }

  /** The different upper bounds among those of a batch, which may be null, in ascending order. */
  static List<Float> maxWeights(List<Guidance> batch) {
    return batch.stream()
        .filter(Objects::nonNull)
        .map(Guidance::maxWeight)
        .distinct()
        .sorted()
        .toList();
  }

  /** LeRobot's {@code get_prefix_weights}; the delay is cut to the horizon. */
  public static float[] weights(Schedule schedule, int delay, int horizon, int chunk) {
    int end = Math.min(horizon, chunk);
    int start = Math.min(Math.min(delay, horizon), chunk);
    float[] weights = new float[chunk];
    Arrays.fill(weights, 0, start, 1);
    int ramp = end - start;
    for (int i = 0; i < ramp; i++) {
      weights[start + i] =
          switch (schedule) {
            case ZEROS -> 0;
            case ONES -> 1;
            case LINEAR -> falling(i + 1, ramp + 2);
            case EXP -> {
              float linear = falling(i + 1, ramp + 2);
              yield linear * ((float) Math.expm1(linear) / (float) (Math.E - 1));
            }
          };
    }
    return weights;
  }

  /** {@code torch.linspace(1, 0, count)[index]}, which counts from the nearer end in float32. */
  private static float falling(int index, int count) {
    float step = -1f / (count - 1);
    return index < count / 2 ? 1 + step * index : -step * (count - 1 - index);
  }

  /**
   * The guidance weight of a step: {@code min((1−τ)/τ · ((1−τ)² + τ²)/(1−τ)², max)} with {@code τ =
   * 1 − t}, in float32; the maximum at τ = 0.
   */
  public static float weight(double time, float maxWeight) {
    float tau = (float) (1 - time);
    float squared = (1 - tau) * (1 - tau);
    float inverse = (squared + tau * tau) / squared;
    float ratio = (1 - tau) / tau;
    return ratio == Float.POSITIVE_INFINITY ? maxWeight : Math.min(ratio * inverse, maxWeight);
  }

  /** The leftover with zeros for the steps and columns that it lacks: horizon × columns. */
  float[] padded(int horizon, int columns) {
    float[] padded = new float[horizon * columns];
    for (int row = 0; row < previousRows; row++) {
      System.arraycopy(previous, row * previousColumns, padded, row * columns, previousColumns);
    }
    return padded;
  }
}
