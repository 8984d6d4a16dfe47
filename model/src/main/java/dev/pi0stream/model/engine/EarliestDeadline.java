package dev.pi0stream.model.engine;

import java.time.Instant;
import java.util.List;

/** As many as fit, those first whose deadline is nearest, then those that have waited longest. */
public record EarliestDeadline() implements DispatchRule {
  @Override
  public Choice choose(List<Candidate> waiting, Instant now, LatencyCurve curve, int maxBatch) {
    return Choice.of(waiting.stream().sorted(Candidate.STARVES_FIRST).limit(maxBatch).toList());
  }
}
