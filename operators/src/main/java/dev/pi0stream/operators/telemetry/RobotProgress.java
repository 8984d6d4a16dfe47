package dev.pi0stream.operators.telemetry;

/**
 * How far a robot is, from window to window; kept in state.
 *
 * @param episode that it is in; null before its first observation
 * @param previousEpisode the one before; null for none
 * @param sequence of its newest observation
 * @param chunkEpisode of its newest chunk; null before its first
 * @param actionsUntil up to this moment, in microseconds since the epoch, ticks have an action or
 *     were counted as starved
 * @param late what came too late for its window and was not reported yet
 */
public record RobotProgress(
    String episode,
    String previousEpisode,
    long sequence,
    String chunkEpisode,
    long actionsUntil,
    long late) {
  static final RobotProgress NONE = new RobotProgress(null, null, 0, null, 0, 0);

  /** A newer observation has come. */
  RobotProgress observed(String inEpisode, long newest) {
    return new RobotProgress(
        inEpisode,
        inEpisode.equals(episode) ? previousEpisode : episode,
        newest,
        chunkEpisode,
        actionsUntil,
        late);
  }

  /** A chunk has come. */
  RobotProgress served(String inEpisode, long until) {
    return new RobotProgress(episode, previousEpisode, sequence, inEpisode, until, late);
  }

  RobotProgress withLate(long records) {
    return new RobotProgress(
        episode, previousEpisode, sequence, chunkEpisode, actionsUntil, records);
  }
}
