package dev.pi0stream.job.run;

import dev.pi0stream.operators.telemetry.NearestRank;
import java.util.Arrays;

/** Latencies in the order in which they were measured. */
public final class Latencies {
  private static final double MICROS_PER_MILLI = 1e3;

  private int[] micros = new int[1024];
  private int size;

  /**
   * Percentiles in milliseconds, by nearest rank; null where nothing was measured.
   *
   * <p>Written as JSON with these names.
   */
  public record Percentiles(Double p50, Double p95, Double p99) {}

  /** One more. */
  public void add(long latencyMicros) {
    if (size == micros.length) {
      micros = Arrays.copyOf(micros, Math.addExact(size, size >> 1));
    }
    micros[size++] = (int) Math.min(Integer.MAX_VALUE, latencyMicros);
  }

  /** How many there are. */
  public int size() {
    return size;
  }

  /** Of those measured from the given one on. */
  public Percentiles since(int first) {
    int[] sorted = Arrays.copyOfRange(micros, Math.min(first, size), size);
    Arrays.sort(sorted);
    return new Percentiles(rank(sorted, 0.50), rank(sorted, 0.95), rank(sorted, 0.99));
  }

  private static Double rank(int[] sorted, double share) {
    if (sorted.length == 0) {
      return null;
    }
    return NearestRank.of(sorted, share) / MICROS_PER_MILLI;
  }
}
