package dev.pi0stream.job.run;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the logged robots did: the yardstick of chunks. Step k of the chunk for sequence t is
 * compared with the action logged at t + k, as far as the episode goes.
 */
final class LoggedActions {
  private final Map<String, List<float[]>> actions = new ConcurrentHashMap<>();

  /**
   * How far a chunk is from the log.
   *
   * @param sum of the absolute differences, robot units
   * @param count of the numbers compared
   */
  record Difference(double sum, long count) {
    static final Difference NONE = new Difference(0, 0);
  }

  /** Takes the actions of a robot's episode, step by step. */
  void put(String robot, List<float[]> episode) {
    actions.put(robot, List.copyOf(episode));
  }

  /**
   * Compares a chunk; with nothing, where the robot is not one of the log or its actions have
   * another size.
   *
   * @param chunk horizon × dimensions numbers, step after step
   */
  Difference difference(String robot, long sequence, int dimensions, List<Float> chunk) {
    List<float[]> episode = actions.get(robot);
    if (episode == null || sequence < 0 || dimensions <= 0) {
      return Difference.NONE;
    }
    double sum = 0;
    long count = 0;
    for (int k = 0; (k + 1) * dimensions <= chunk.size(); k++) {
      if (sequence + k >= episode.size()) {
        break;
      }
      float[] logged = episode.get((int) sequence + k);
      if (logged.length != dimensions) {
        return Difference.NONE;
      }
      for (int d = 0; d < dimensions; d++) {
        sum += Math.abs(chunk.get(k * dimensions + d) - logged[d]);
      }
      count += dimensions;
    }
    return new Difference(sum, count);
  }
}
