package dev.pi0stream.model.processor;

import dev.pi0stream.model.checkpoint.Normalization;
import java.util.Objects;

/**
 * LeRobot's normalisation ({@code normalize_processor.py}), in float32 and in its order of
 * operations: every number that goes in is rounded to float32, every number that comes out is one.
 *
 * @param low what becomes 0 (mean) or −1 (minimum, lower quantile), by column; ignored by IDENTITY
 * @param high the standard deviation, or what becomes 1, by column; ignored by IDENTITY
 * @param epsilon added to the standard deviation on the way in; the width of a range of width 0
 */
public record LeRobotNormalizer(Normalization mode, float[] low, float[] high, float epsilon)
    implements Normalizer {
  public LeRobotNormalizer {
    Objects.requireNonNull(mode, "mode");
    if (low.length != high.length) {
      throw new IllegalArgumentException(
          "statistics of %d and %d columns".formatted(low.length, high.length));
    }
  }

  @Override
  public int columns() {
    return low.length;
  }

  @Override
  public double[] normalise(double[] values, int columns) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      int column = column(i, columns);
      float value = (float) values[i];
      result[i] =
          switch (mode) {
            case IDENTITY -> value;
            case MEAN_STD -> (value - low[column]) / (high[column] + epsilon);
            case MIN_MAX, QUANTILES, QUANTILE10 -> 2 * (value - low[column]) / width(column) - 1;
          };
    }
    return result;
  }

  @Override
  public double[] unnormalise(double[] values, int columns) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      int column = column(i, columns);
      float value = (float) values[i];
      result[i] =
          switch (mode) {
            case IDENTITY -> value;
            case MEAN_STD -> value * high[column] + low[column];
            case MIN_MAX -> (value + 1) / 2 * width(column) + low[column];
            case QUANTILES, QUANTILE10 -> (value + 1) * width(column) / 2 + low[column];
          };
    }
    return result;
  }

  private int column(int index, int columns) {
    if (columns != low.length && mode != Normalization.IDENTITY) {
      throw new IllegalArgumentException(
          "rows of %d numbers: expected %d, as there are statistics"
              .formatted(columns, low.length));
    }
    return index % columns;
  }

  private float width(int column) {
    float width = high[column] - low[column];
    return width == 0 ? epsilon : width;
  }
}
