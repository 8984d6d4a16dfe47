package dev.pi0stream.model.engine;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * Who is served next when the device is idle. A rule is a function of what waits, the time and the
 * device's {@link LatencyCurve}; it has no thread and no state.
 */
@FunctionalInterface
public interface DispatchRule {
  /**
   * Chooses.
   *
   * @param waiting requests that could begin now, in order of arrival; at least one
   * @param maxBatch the most that may be chosen
   */
  Choice choose(List<Candidate> waiting, Instant now, LatencyCurve curve, int maxBatch);

  /**
   * A request that could begin.
   *
   * @param since when its robot began to wait; a newer observation that takes the place of an older
   *     one takes its time, too, so that a robot that sends often does not wait for ever
   * @param deadline null for none
   * @param freshUntil when the chunk that its robot had last is used up, which is its deadline;
   *     null where that is not known
   */
  record Candidate(String robot, Instant since, Instant deadline, Instant freshUntil, Work work) {
    /** Earliest deadline, those without one last; then the longest wait. */
    static final Comparator<Candidate> STARVES_FIRST =
        Comparator.comparing(
                Candidate::deadline, Comparator.nullsLast(Comparator.<Instant>naturalOrder()))
            .thenComparing(Candidate::since);

    public Candidate {
      Objects.requireNonNull(robot, "robot");
      Objects.requireNonNull(since, "since");
      Objects.requireNonNull(work, "work");
    }
  }

  /**
   * What was chosen.
   *
   * @param batch the candidates of the next batch; empty where none is to begin now
   * @param again when to ask again where nothing began and nothing new comes; null otherwise
   */
  record Choice(List<Candidate> batch, Instant again) {
    public Choice {
      batch = List.copyOf(batch);
      if (batch.isEmpty() == (again == null)) {
        throw new IllegalArgumentException("a choice is a batch or a time to ask again");
      }
    }

    /** A batch that begins now. */
    public static Choice of(List<Candidate> batch) {
      return new Choice(batch, null);
    }
  }
}
