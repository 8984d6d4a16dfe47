package dev.pi0stream.job.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** How long each stage of each run took. */
final class Timings {
  private static final double NANOS_PER_MILLI = 1e6;

  private final List<Double> totals = new ArrayList<>();
  private final Map<Stage, Double> sums = new EnumMap<>(Stage.class);

  void add(Map<Stage, Duration> run) {
    double total = 0;
    for (Map.Entry<Stage, Duration> stage : run.entrySet()) {
      double millis = stage.getValue().toNanos() / NANOS_PER_MILLI;
      sums.merge(stage.getKey(), millis, Double::sum);
      total += millis;
    }
    totals.add(total);
  }

  /** Mean milliseconds of a stage; 0 where it was not run. */
  double mean(Stage stage) {
    return sums.getOrDefault(stage, 0.0) / totals.size();
  }

  /** Mean milliseconds of a run. */
  double mean() {
    return totals.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  /** Milliseconds of the run at a rank from 0 to 1, by nearest rank. */
  double percentile(double rank) {
    List<Double> sorted = totals.stream().sorted().toList();
    return sorted.get(Math.max(1, (int) Math.ceil(rank * sorted.size())) - 1);
  }
}
