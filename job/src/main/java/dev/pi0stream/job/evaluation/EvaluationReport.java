package dev.pi0stream.job.evaluation;

import java.util.List;

/**
 * What an evaluation found. Written as JSON with these names; docs/replay.md has the formulas.
 *
 * @param spread how far the noise samples of a step are from each other: the standard deviation
 *     over the samples, normalised; null with one sample
 * @param consistency how far successive chunks are from each other where they overlap
 * @param jerk the third difference of actions
 * @param outsideLoggedRange predicted numbers that were never logged
 * @param ticks control steps that a robot would have played
 * @param starvedTicks those for which the measured inference time would have left it nothing
 * @param inferenceMillis how long batches were on the device, by chunk
 * @param batchSizeMean mean over the batches
 * @param worst the worst moments, the worst first, no two of an episode close to each other
 */
public record EvaluationReport(
    ErrorReport error,
    Spread spread,
    ErrorFigures consistency,
    Jerk jerk,
    Outside outsideLoggedRange,
    long ticks,
    long starvedTicks,
    Ranks inferenceMillis,
    Double batchSizeMean,
    List<Moment> worst,
    List<EpisodeErrors> episodes) {

  /**
   * Differences among noise samples.
   *
   * @param mean over steps, actions and numbers
   * @param p95 over the chunks, each with its mean
   */
  public record Spread(int samples, Double mean, Double p95) {}

  /**
   * The root mean square of the normalised third difference times the cube of the rate: standard
   * deviations per second cubed.
   *
   * @param ratio of predicted to logged
   */
  public record Jerk(Double predicted, Double logged, Double ratio) {}

  /**
   * Numbers beyond the smallest and largest logged ones by more than 1 % of what is between them.
   *
   * @param share of all predicted numbers
   * @param worstExcess how far the farthest is beyond, in proportion to the logged range
   */
  public record Outside(Double share, Double worstExcess) {}
}
