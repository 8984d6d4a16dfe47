package dev.pi0stream.job.audit;

import dev.pi0stream.model.engine.ObservationId;
import java.util.HashMap;
import java.util.Map;

/**
 * What one robot sent, for the question whether something could supersede something else. Records
 * are numbered in the order in which they were read, which is that of the topic for one robot.
 */
final class SentByRobot {
  private final Map<String, Episode> episodes = new HashMap<>();

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

  /** Notes a record. */
  void add(ObservationId id, long number) {
    Episode episode = episodes.computeIfAbsent(id.episode(), _ -> new Episode(number));
    episode.last = number;
    episode.newest = Math.max(episode.newest, id.sequence());
    episode.records.merge(id.sequence(), 1, Integer::sum);
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
