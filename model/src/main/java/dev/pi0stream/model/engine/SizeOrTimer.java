package dev.pi0stream.model.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;

/**
 * What most model servers do: waits until a batch is full, or until its oldest request has waited
 * for a time.
 *
 * @param timer the longest that a request waits for company
 */
public record SizeOrTimer(Duration timer) implements DispatchRule {
  @Override
  public Choice choose(List<Candidate> waiting, Instant now, LatencyCurve curve, int maxBatch) {
    List<Candidate> oldest =
        waiting.stream().sorted(Comparator.comparing(Candidate::since)).limit(maxBatch).toList();
    Instant due = oldest.getFirst().since().plus(timer);
    return oldest.size() == maxBatch || !now.isBefore(due)
        ? Choice.of(oldest)
        : new Choice(List.of(), due);
  }
}
