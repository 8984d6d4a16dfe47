package dev.pi0stream.job.evaluation;

import java.util.List;

/**
 * The shift in time at which chunks of a critical interval fit the log best. A policy that shuts
 * its gripper a step late is not as wrong as one that does not shut it.
 *
 * @param lag steps by which the chunks are behind the log; negative where they are ahead
 * @param normalisedMeanAbs the error at that shift; null where nothing could be compared
 * @param numbers how many are compared without a shift: the weight of the interval
 */
record Alignment(int lag, Double normalisedMeanAbs, long numbers) {
  private static final double LONGEST_SECONDS = 0.3;

  /** How many steps are tried in either direction. */
  static int longest(double fps) {
    return Math.max(1, (int) Math.round(LONGEST_SECONDS * fps));
  }

  /** Tries every shift; of equals the smallest counts. */
  static Alignment of(
      LoggedEpisode episode, List<Prediction> chunks, LoggedMotion motion, double fps) {
    Shifted unshifted = shifted(episode, chunks, motion, 0);
    int best = 0;
    Double least = unshifted.mean();
    for (int size = 1; size <= longest(fps); size++) {
      for (int lag : new int[] {size, -size}) {
        Double error = shifted(episode, chunks, motion, lag).mean();
        if (error != null && (least == null || error < least)) {
          best = lag;
          least = error;
        }
      }
    }
    return new Alignment(best, least, unshifted.count);
  }

  /** The absolute differences at a shift. */
  private record Shifted(double sum, long count) {
    Double mean() {
      return count == 0 ? null : sum / count;
    }
  }

  /** What is predicted for a step against what was logged {@code lag} steps before it. */
  private static Shifted shifted(
      LoggedEpisode episode, List<Prediction> chunks, LoggedMotion motion, int lag) {
    double sum = 0;
    long count = 0;
    for (Prediction chunk : chunks) {
      for (int k = 0; k < chunk.horizon(); k++) {
        int at = chunk.frame() + k - lag;
        if (at < 0 || at >= episode.length()) {
          continue;
        }
        float[] logged = episode.actions().get(at);
        for (int d = 0; d < chunk.dimensions(); d++) {
          if (motion.deviation(d) > 0) {
            sum += Math.abs((double) chunk.at(k, d) - logged[d]) / motion.deviation(d);
            count++;
          }
        }
      }
    }
    return new Shifted(sum, count);
  }
}
