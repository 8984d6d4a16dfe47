package dev.pi0stream.model.engine;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;

/** As many as fit, those first that have waited longest. */
public record FirstInFirstOut() implements DispatchRule {
  @Override
  public Choice choose(List<Candidate> waiting, Instant now, LatencyCurve curve, int maxBatch) {
    return Choice.of(
        waiting.stream().sorted(Comparator.comparing(Candidate::since)).limit(maxBatch).toList());
  }
}
