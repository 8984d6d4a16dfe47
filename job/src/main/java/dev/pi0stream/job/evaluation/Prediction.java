package dev.pi0stream.job.evaluation;

/**
 * A chunk that was computed for a step of an episode.
 *
 * @param frame the step
 * @param sample which of the noise samples
 * @param actions horizon × dimensions in the robot's units, step after step
 * @param inferenceSeconds how long its batch was on the device
 * @param batchSize rows of that batch
 */
public record Prediction(
    int frame,
    int sample,
    int horizon,
    int dimensions,
    float[] actions,
    double inferenceSeconds,
    int batchSize) {
  public Prediction {
    if (actions.length != horizon * dimensions) {
      throw new IllegalArgumentException(
          "a chunk of %d numbers: expected %d × %d".formatted(actions.length, horizon, dimensions));
    }
  }

  /** Number {@code d} of the action for step {@code frame + k}. */
  public float at(int k, int d) {
    return actions[k * dimensions + d];
  }
}
