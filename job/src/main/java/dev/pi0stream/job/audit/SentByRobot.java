package dev.pi0stream.job.audit;

import dev.pi0stream.model.engine.ObservationId;
import java.util.HashMap;
import java.util.Map;

/**
 * What one robot sent, for the questions whether something could supersede something else, and in
 * which order it is. Records are numbered in the order in which they were read, which is that of
 * the topic for one robot.
 */
final class SentByRobot {
  private final Map<String, Episode> episodes = new HashMap<>();

  /** The episode that the robot is in, and the one before; null for none. */
  private String current;

  private String previous;
  private long begun;
  private long begunBefore;

  /** What was sent of an episode. */
  private static final class Episode {
    private final long first;
    private final Map<Long, Integer> records = new HashMap<>();
    private long last;
    private long newest = Long.MIN_VALUE;

    Episode(long first) {
      this.first = first;
    }
  }

  /**
   * Notes a record.
   *
   * @return the number of the record with which its episode began. One that comes back behind two
   *     others begins anew: of a robot's earlier episodes its session knows the last alone.
   */
  long add(ObservationId id, long number) {
    Episode episode = episodes.computeIfAbsent(id.episode(), _ -> new Episode(number));
    episode.last = number;
    episode.newest = Math.max(episode.newest, id.sequence());
    episode.records.merge(id.sequence(), 1, Integer::sum);
    if (id.episode().equals(previous)) {
      return begunBefore;
    }
    if (!id.episode().equals(current)) {
      previous = current;
      begunBefore = begun;
      current = id.episode();
      begun = number;
    }
    return begun;
  }

  /**
   * Whether there is something by which a record may be superseded: one of its episode that is
   * newer, or is the same again; or one of another episode that came later, or that had begun
   * before it as a later episode than its own.
   */
  boolean supersedes(ObservationId id, long number) {
    Episode own = episodes.get(id.episode());
    return own.newest > id.sequence()
        || own.records.get(id.sequence()) > 1
        || episodes.values().stream()
            .anyMatch(
                other ->
                    (other.first != own.first && other.last > number)
                        || (other.first > own.first && other.first < number));
  }
}
