package dev.pi0stream.job.evaluation;

/** Numbers at some ranks, by nearest rank; null where there are none. */
public record Ranks(Double p50, Double p95, Double p99, Double max) {
  static Ranks of(Percentiles values, double factor) {
    return new Ranks(
        scaled(values.at(0.5), factor),
        scaled(values.at(0.95), factor),
        scaled(values.at(0.99), factor),
        scaled(values.at(1), factor));
  }

  private static Double scaled(Double value, double factor) {
    return value == null ? null : value * factor;
  }
}
