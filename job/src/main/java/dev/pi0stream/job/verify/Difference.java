package dev.pi0stream.job.verify;

import java.util.Arrays;

/**
 * How far values are from what was expected.
 *
 * @param pcc Pearson's correlation coefficient; NaN where it is undefined: fewer than two numbers,
 *     or all numbers of one side equal
 * @param maxAbsError infinite where one side has a NaN or an infinity and the other has not
 * @param maxRelativeError the largest error in proportion to the expected number
 * @param maxExpected the largest expected magnitude
 * @param rmsExpected the root mean square of what was expected
 */
public record Difference(
    double pcc,
    double maxAbsError,
    double rmsError,
    double maxRelativeError,
    double maxExpected,
    double rmsExpected) {

  /** Between things that are equal and no numbers. */
  static final Difference NONE = new Difference(Double.NaN, 0, 0, 0, 0, 0);

  /** Compares all numbers. */
  public static Difference of(double[] computed, double[] expected) {
    boolean[] all = new boolean[expected.length];
    Arrays.fill(all, true);
    return of(computed, expected, all);
  }

  /**
   * Compares some of the numbers.
   *
   * @param counts which ones
   */
  static Difference of(double[] computed, double[] expected, boolean[] counts) {
    double maxError = 0;
    double maxRelative = 0;
    double maxExpected = 0;
    double squares = 0;
    double expectedSquares = 0;
    double sumComputed = 0;
    double sumExpected = 0;
    int count = 0;
    for (int i = 0; i < expected.length; i++) {
      if (!counts[i]) {
        continue;
      }
      double error = error(computed[i], expected[i]);
      maxError = Math.max(maxError, error);
      if (error != 0) {
        maxRelative = Math.max(maxRelative, error / Math.abs(expected[i]));
      }
      maxExpected = Math.max(maxExpected, Math.abs(expected[i]));
      squares += error * error;
      expectedSquares += expected[i] * expected[i];
      sumComputed += computed[i];
      sumExpected += expected[i];
      count++;
    }
    double meanComputed = sumComputed / count;
    double meanExpected = sumExpected / count;
    double covariance = 0;
    double varianceComputed = 0;
    double varianceExpected = 0;
    for (int i = 0; i < expected.length; i++) {
      if (counts[i]) {
        double a = computed[i] - meanComputed;
        double b = expected[i] - meanExpected;
        covariance += a * b;
        varianceComputed += a * a;
        varianceExpected += b * b;
      }
    }
    double spread = Math.sqrt(varianceComputed) * Math.sqrt(varianceExpected);
    double pcc = spread == 0 ? Double.NaN : Math.clamp(covariance / spread, -1, 1);
    int divisor = Math.max(count, 1);
    return new Difference(
        pcc,
        maxError,
        Math.sqrt(squares / divisor),
        maxRelative,
        maxExpected,
        Math.sqrt(expectedSquares / divisor));
  }

  private static double error(double computed, double expected) {
    if (Double.compare(computed, expected) == 0) {
      return 0; // also NaN and infinities that were expected
    }
    double error = Math.abs(computed - expected);
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }
}
