package dev.pi0stream.model.engine;

import dev.pi0stream.model.engine.ServedPolicy.Computed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Begins at once, with the batch after which the fewest robots have starved.
 *
 * <p>It weighs batches of every size, made of those who would starve first: of all, of those alone
 * that have only a new state, and of the others alone. For each it foresees from the latency curve
 * when its robots have their chunks, and when those have theirs who are served behind it in full
 * batches. The best is that with the fewest passed deadlines; of equals, with the least sum of the
 * squares of how old requests are when they are answered. Squares, so that a robot that has waited
 * long is not passed over for many that have not: with plain ages a stream of quick state-only
 * requests would hold up the others for ever. Of equals still, the largest.
 *
 * <p>A batch is not the larger the better: its robots all wait for the slowest of them.
 */
public record FewestStarved() implements DispatchRule {
  /** How many batches ahead it looks. What comes later changes before its turn. */
  private static final int BATCHES_AHEAD = 4;

  private static final double SECONDS_PER_NANO = 1e-9;

  @Override
  public Choice choose(List<Candidate> waiting, Instant now, LatencyCurve curve, int maxBatch) {
    List<Candidate> sorted = waiting.stream().sorted(Candidate.STARVES_FIRST).toList();
    int ahead = Math.multiplyExact(BATCHES_AHEAD, maxBatch);
    List<Candidate> quick =
        sorted.stream().filter(c -> c.work().isStateOnly()).limit(ahead).toList();
    List<Candidate> slow =
        sorted.stream().filter(c -> !c.work().isStateOnly()).limit(ahead).toList();
    List<Candidate> all = new ArrayList<>(quick);
    all.addAll(slow);
    all.sort(Candidate.STARVES_FIRST);
    List<List<Candidate>> orders =
        quick.isEmpty() || slow.isEmpty() ? List.of(all) : List.of(all, quick, slow);
    List<Candidate> best = List.of();
    Cost least = null;
    for (List<Candidate> order : orders) {
      for (int size = Math.min(maxBatch, order.size()); size > 0; size--) {
        List<Candidate> batch = order.subList(0, size);
        Cost cost = cost(batch, all, now, curve, maxBatch);
        if (least == null || cost.isLessThan(least)) {
          least = cost;
          best = batch;
        }
      }
    }
    return Choice.of(best);
  }

  /** What it costs to begin with a batch and to serve the others behind it. */
  private static Cost cost(
      List<Candidate> batch, List<Candidate> all, Instant now, LatencyCurve curve, int maxBatch) {
    Cost cost = new Cost();
    Instant end = now.plus(latency(batch, curve));
    cost.add(batch, end);
    List<Candidate> next = new ArrayList<>(maxBatch);
    for (Candidate candidate : all) {
      // The batch is a prefix of an order; a few comparisons are cheaper than a set.
      if (!batch.contains(candidate)) {
        next.add(candidate);
        if (next.size() == maxBatch) {
          end = end.plus(latency(next, curve));
          cost.add(next, end);
          next.clear();
        }
      }
    }
    if (!next.isEmpty()) {
      cost.add(next, end.plus(latency(next, curve)));
    }
    return cost;
  }

  private static Duration latency(List<Candidate> batch, LatencyCurve curve) {
    int images = 0;
    int prefixes = 0;
    for (Candidate candidate : batch) {
      images += candidate.work().images();
      prefixes += candidate.work().prefix() ? 1 : 0;
    }
    return curve.estimate(new Computed(images, prefixes, batch.size()));
  }

  /** Passed deadlines, then squared ages. */
  private static final class Cost {
    private int starved;
    private double squares;

    void add(List<Candidate> batch, Instant end) {
      for (Candidate candidate : batch) {
        if (candidate.deadline() != null && end.isAfter(candidate.deadline())) {
          starved++;
        }
        double age = Duration.between(candidate.since(), end).toNanos() * SECONDS_PER_NANO;
        squares += age * age;
      }
    }

    boolean isLessThan(Cost other) {
      return starved != other.starved ? starved < other.starved : squares < other.squares;
    }
  }
}
