package dev.pi0stream.job.run;

import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Accounts for every observation from what is on the topics, whatever order it is read in.
 *
 * <p>An observation is (robot, episode, sequence) and counted once, also when it was sent in
 * several records; a record that does not say whose it is counts as one observation by its place in
 * the topic. Outcomes belong to the record whose place they name. Where an observation has several,
 * because the job recovered or the robot repeated itself, a chunk wins over a rejection and a
 * rejection over the others. An outcome whose record was not read, or that names another
 * observation than its record holds, counts for nothing.
 *
 * <p>Keeps some 200 bytes for each observation. Safe for use by several threads.
 */
final class Ledger {
  private static final double MICROS_PER_NANO = 1e-3;

  private final LoggedActions logged;
  private final Map<ObservationId, Entry> observations = new HashMap<>();
  private final Map<SourcePosition, Entry> records = new HashMap<>();
  private final Map<SourcePosition, List<Answer>> early = new HashMap<>();
  private final Map<Verdict, Long> counts = new EnumMap<>(Verdict.class);
  private final Latencies latencies = new Latencies();
  private long total;
  private double batches;
  private double errorSum;
  private long errorCount;
  private long strays;
  private String rejection;

  Ledger(LoggedActions logged) {
    this.logged = logged;
    for (Verdict verdict : Verdict.values()) {
      counts.put(verdict, 0L);
    }
  }

  /** What an observation came to. */
  private enum Verdict {
    OPEN(0),
    EXPIRED(1),
    SUPERSEDED(1),
    REJECTED(2),
    CHUNK(3);

    private final int rank;

    Verdict(int rank) {
      this.rank = rank;
    }

    /** Whether it takes the place of another; of equals the first that was read stays. */
    boolean beats(Verdict other) {
      return rank > other.rank;
    }
  }

  /** Takes a record of the observations topic; {@code id} is null when it cannot be read. */
  synchronized void observed(SourcePosition place, ObservationId id) {
    Entry entry = observations.get(id);
    if (entry == null) {
      entry = new Entry(id);
      if (id != null) {
        observations.put(id, entry);
      }
      total++;
      count(Verdict.OPEN, 1);
    }
    records.put(place, entry);
    for (Answer answer : early.getOrDefault(place, List.of())) {
      settle(entry, answer);
    }
    early.remove(place);
  }

  /**
   * Takes a record of the chunks topic.
   *
   * @param readAt when it could be had from the topic
   */
  synchronized void answered(ActionChunk chunk, Instant readAt) {
    long micros =
        Math.round(Duration.between(chunk.getObservedAt(), readAt).toNanos() * MICROS_PER_NANO);
    answered(
        new SourcePosition(
            chunk.getSourceTopic(), chunk.getSourcePartition(), chunk.getSourceOffset()),
        new Chunk(
            new ObservationId(chunk.getRobot(), chunk.getEpisode(), chunk.getSequence()),
            micros,
            chunk.getBatchSize(),
            logged.difference(
                chunk.getRobot(),
                chunk.getSequence(),
                chunk.getActionDimensions(),
                chunk.getActions())));
  }

  /** Takes a record of the outcomes topic. */
  synchronized void answered(ObservationOutcome outcome) {
    ObservationId id =
        outcome.getRobot() == null || outcome.getEpisode() == null || outcome.getSequence() == null
            ? null
            : new ObservationId(outcome.getRobot(), outcome.getEpisode(), outcome.getSequence());
    answered(
        new SourcePosition(
            outcome.getSourceTopic(), outcome.getSourcePartition(), outcome.getSourceOffset()),
        new Ended(id, outcome.getKind(), outcome.getReason()));
  }

  /** What is known now. */
  synchronized Summary summary() {
    return summarySince(0);
  }

  /** What is known now, with the latencies of the chunks from the given one on. */
  synchronized Summary summarySince(int firstChunk) {
    long chunks = counts.get(Verdict.CHUNK);
    return new Summary(
        total,
        chunks,
        counts.get(Verdict.SUPERSEDED),
        counts.get(Verdict.EXPIRED),
        counts.get(Verdict.REJECTED),
        latencies.since(firstChunk),
        batches > 0 ? chunks / batches : null,
        errorCount > 0 ? errorSum / errorCount : null);
  }

  /** How many outcomes belong to no observation that was read. */
  synchronized long strays() {
    return strays + early.values().stream().mapToLong(List::size).sum();
  }

  /** Why the first rejected observation was; null when none was. */
  synchronized String firstRejection() {
    return rejection;
  }

  private void answered(SourcePosition place, Answer answer) {
    Entry entry = records.get(place);
    if (entry == null) {
      early.computeIfAbsent(place, _ -> new ArrayList<>()).add(answer);
    } else {
      settle(entry, answer);
    }
  }

  private void settle(Entry entry, Answer answer) {
    if (answer.id() != null && entry.id != null && !answer.id().equals(entry.id)) {
      strays++;
      return;
    }
    Verdict verdict =
        switch (answer) {
          case Chunk _ -> Verdict.CHUNK;
          case Ended ended ->
              switch (ended.kind()) {
                case SUPERSEDED -> Verdict.SUPERSEDED;
                case EXPIRED -> Verdict.EXPIRED;
                case REJECTED -> Verdict.REJECTED;
              };
        };
    if (!verdict.beats(entry.verdict)) {
      return;
    }
    count(entry.verdict, -1);
    count(verdict, 1);
    entry.verdict = verdict;
    switch (answer) {
      case Chunk chunk -> measure(chunk);
      case Ended ended -> {
        if (verdict == Verdict.REJECTED && rejection == null) {
          rejection = ended.reason();
        }
      }
    }
  }

  private void measure(Chunk chunk) {
    latencies.add(chunk.latencyMicros());
    // Each row of a batch of n is an nth of it.
    batches += 1.0 / Math.max(1, chunk.batchSize());
    errorSum += chunk.difference().sum();
    errorCount += chunk.difference().count();
  }

  private void count(Verdict verdict, long change) {
    counts.merge(verdict, change, Long::sum);
  }

  /** An observation. */
  private static final class Entry {
    /** Null where no record says it. */
    private final ObservationId id;

    private Verdict verdict = Verdict.OPEN;

    Entry(ObservationId id) {
      this.id = id;
    }
  }

  /** A record of the chunks or the outcomes topic. */
  private sealed interface Answer {
    /** Whose it says it is; null where it does not say it. */
    ObservationId id();
  }

  private record Chunk(
      ObservationId id, long latencyMicros, int batchSize, LoggedActions.Difference difference)
      implements Answer {}

  private record Ended(ObservationId id, OutcomeKind kind, String reason) implements Answer {}
}
