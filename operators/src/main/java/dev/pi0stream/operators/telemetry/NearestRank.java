package dev.pi0stream.operators.telemetry;

/** Percentiles by nearest rank: always one of the values that were measured. */
public final class NearestRank {
  private NearestRank() {}

  /**
   * The smallest value that is not below the given share of all.
   *
   * @param sorted in ascending order, at least one
   * @param share above 0, at most 1
   */
  public static int of(int[] sorted, double share) {
    return sorted[Math.max(1, (int) Math.ceil(share * sorted.length)) - 1];
  }
}
