package dev.pi0stream.job.fleet;

/**
 * What a robot, or a whole fleet, experienced; written as JSON with these names.
 *
 * @param robot its name
 * @param observations that were sent
 * @param missing observations without an outcome
 * @param ticks control ticks while the robot moved
 * @param starvedTicks those at which it had no action
 * @param staleTicks those at which it played an action that was observed too long ago
 * @param outdatedChunks chunks of an earlier episode, or older than the one that it had
 * @param overdueChunks chunks whose last step was over when they came
 * @param repeats answers beyond the first
 * @param restarts of the robot
 * @param longestGapMillis the longest time from one chunk to the next while it moved
 */
public record RobotFigures(
    String robot,
    long observations,
    long chunks,
    long superseded,
    long expired,
    long rejected,
    long missing,
    long ticks,
    long starvedTicks,
    long staleTicks,
    long outdatedChunks,
    long overdueChunks,
    long repeats,
    long restarts,
    double longestGapMillis) {
  /** Nothing, under a name. */
  static RobotFigures none(String robot) {
    return new RobotFigures(robot, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  /** Both together, under the name of this. */
  RobotFigures plus(RobotFigures other) {
    return new RobotFigures(
        robot,
        observations + other.observations,
        chunks + other.chunks,
        superseded + other.superseded,
        expired + other.expired,
        rejected + other.rejected,
        missing + other.missing,
        ticks + other.ticks,
        starvedTicks + other.starvedTicks,
        staleTicks + other.staleTicks,
        outdatedChunks + other.outdatedChunks,
        overdueChunks + other.overdueChunks,
        repeats + other.repeats,
        restarts + other.restarts,
        Math.max(longestGapMillis, other.longestGapMillis));
  }
}
