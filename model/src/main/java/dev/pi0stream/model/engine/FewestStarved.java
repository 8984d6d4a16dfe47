package dev.pi0stream.model.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Begins at once, and serves those first who would starve.
 *
 * <p>A robot starves from when its last chunk is used up until the next one arrives. One whose last
 * chunk lasts beyond the batch after this one can wait. Of the others a chunk is worth the more,
 * the longer it will last, and the longer its robot has waited already, so that in an overload
 * nobody waits for ever. Where robots say nothing of deadlines, the longest wait counts alone.
 *
 * <p>The batch is as large as it can be, but for one case: where it would be over too late for some
 * of its robots, it is made smaller if less time is starved so in all, those counted who then come
 * later. The latency curve foresees it.
 */
public record FewestStarved() implements DispatchRule {
  private static final double NANOS_PER_SECOND = 1e9;

  /** What a chunk is taken to last where nobody says it. */
  private static final double USUAL_SECONDS = 1;

  /** The most that a chunk is taken to last, so that no deadline keeps others waiting for ever. */
  private static final double MOST_SECONDS = 60;

  /** How many batches ahead it looks. What comes later changes before its turn. */
  private static final int BATCHES_AHEAD = 4;

  @Override
  public Choice choose(List<Candidate> waiting, Instant now, LatencyCurve curve, int maxBatch) {
    List<Candidate> longest =
        waiting.stream().sorted(Comparator.comparing(Candidate::since)).limit(maxBatch).toList();
    Forecast forecast = new Forecast(now, latency(longest, curve));
    List<Candidate> order =
        waiting.stream()
            .map(candidate -> new Valued(candidate, forecast.worth(candidate)))
            .sorted(Comparator.comparingDouble(Valued::worth).reversed())
            .limit(Math.multiplyExact(BATCHES_AHEAD, maxBatch))
            .map(Valued::candidate)
            .toList();
    int best = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int size = Math.min(maxBatch, order.size()); size > 0; size--) {
      double starved = starved(order, size, now, curve, maxBatch);
      if (starved < least) {
        least = starved;
        best = size;
      }
      if (least == 0) {
        break;
      }
    }
    return Choice.of(order.subList(0, best));
  }

  private record Valued(Candidate candidate, double worth) {}

  /** Seconds that all together starve if the first so many are served now, the rest behind them. */
  private static double starved(
      List<Candidate> order, int size, Instant now, LatencyCurve curve, int maxBatch) {
    double starved = 0;
    Instant end = now;
    for (int from = 0, to = size; from < order.size(); ) {
      List<Candidate> batch = order.subList(from, to);
      end = end.plus(latency(batch, curve));
      for (Candidate candidate : batch) {
        starved += Math.max(0, seconds(Duration.between(freshUntil(candidate), end)));
      }
      from = to;
      to = Math.min(order.size(), to + maxBatch);
    }
    return starved;
  }

  private static Duration latency(List<Candidate> batch, LatencyCurve curve) {
    List<Work> rows = new ArrayList<>(batch.size());
    batch.forEach(candidate -> rows.add(candidate.work()));
    return curve.estimate(rows);
  }

  /** A robot of which nothing is known starves since it has waited. */
  private static Instant freshUntil(Candidate candidate) {
    return candidate.freshUntil() == null ? candidate.since() : candidate.freshUntil();
  }

  /** Of any duration: a deadline may be so far off that nanoseconds overflow. */
  private static double seconds(Duration duration) {
    return duration.getSeconds() + duration.getNano() / NANOS_PER_SECOND;
  }

  /**
   * What is to be expected of a batch of those who have waited longest.
   *
   * @param round how long it takes
   */
  private record Forecast(Instant now, Duration round) {
    /** What it is worth to serve a robot now; less than 0 for one that can wait. */
    double worth(Candidate candidate) {
      Instant arrival = now.plus(round);
      Instant freshUntil = freshUntil(candidate);
      double slack = seconds(Duration.between(arrival.plus(round), freshUntil));
      if (slack > 0) {
        return -slack;
      }
      Instant from = freshUntil.isAfter(arrival) ? freshUntil : arrival;
      double lasts =
          candidate.deadline() == null
              ? USUAL_SECONDS
              : Math.clamp(seconds(Duration.between(from, candidate.deadline())), 0, MOST_SECONDS);
      double waited = seconds(Duration.between(candidate.since(), now));
      return lasts * (1 + (round.isZero() ? waited : waited / seconds(round)));
    }
  }
}
