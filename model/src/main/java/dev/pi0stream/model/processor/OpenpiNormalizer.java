package dev.pi0stream.model.processor;

import dev.pi0stream.model.checkpoint.Normalization;

/**
 * openpi's normalisation ({@code transforms.py}: Normalize, Unnormalize), in float64. On the way in
 * a row may be shorter than the statistics; on the way out it may be longer, and what is beyond
 * them counts as mean 0 and standard deviation 1, or stays as it is.
 *
 * @param quantiles whether the statistics are the 1st and 99th percentile, not mean and deviation
 * @param low mean or lower quantile, by column
 * @param high standard deviation or upper quantile, by column
 */
public record OpenpiNormalizer(boolean quantiles, double[] low, double[] high)
    implements Normalizer {
  private static final double EPSILON = 1e-6;

  public OpenpiNormalizer {
    if (low.length != high.length) {
      throw new IllegalArgumentException(
          "statistics of %d and %d columns".formatted(low.length, high.length));
    }
  }

  @Override
  public Normalization mode() {
    return quantiles ? Normalization.QUANTILES : Normalization.MEAN_STD;
  }

  @Override
  public int columns() {
    return low.length;
  }

  @Override
  public double[] normalise(double[] values, int columns) {
    if (columns > low.length) {
      throw new IllegalArgumentException(
          "rows of %d numbers: expected at most %d, as there are statistics"
              .formatted(columns, low.length));
    }
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      int column = i % columns;
      result[i] =
          quantiles
              ? (values[i] - low[column]) / (high[column] - low[column] + EPSILON) * 2 - 1
              : (values[i] - low[column]) / (high[column] + EPSILON);
    }
    return result;
  }

  @Override
  public double[] unnormalise(double[] values, int columns) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      int column = i % columns;
      boolean known = column < low.length;
      if (quantiles) {
        result[i] =
            known
                ? (values[i] + 1) / 2 * (high[column] - low[column] + EPSILON) + low[column]
                : values[i];
      } else {
        result[i] = values[i] * ((known ? high[column] : 1) + EPSILON) + (known ? low[column] : 0);
      }
    }
    return result;
  }
}
