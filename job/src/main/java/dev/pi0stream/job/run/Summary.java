package dev.pi0stream.job.run;

/**
 * What became of the observations; written as JSON with these names. Each observation is counted
 * once.
 *
 * @param observations all that are on the topic, by (robot, episode, sequence)
 * @param latencyMillis from an observation's {@code observedAt} to the moment its chunk was read
 *     from the topic
 * @param batchSizeMean observations computed together, mean over the batches; null without chunks
 * @param meanAbsErrorToLogged mean of |chunk's step k − action logged at t + k| over all numbers of
 *     all chunks, k within the episode, robot units; null where nothing could be compared
 */
public record Summary(
    long observations,
    long chunks,
    long superseded,
    long expired,
    long rejected,
    Latencies.Percentiles latencyMillis,
    Double batchSizeMean,
    Double meanAbsErrorToLogged) {
  /** Observations that have no outcome. */
  public long missing() {
    return observations - chunks - superseded - expired - rejected;
  }
}
