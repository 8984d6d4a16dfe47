package dev.pi0stream.job.verify;

/** When values are close enough to what was expected. */
sealed interface Criterion {
  /** Whether they are. */
  boolean accepts(Difference difference);

  /** The bound, as the report shows it. */
  double threshold();

  /** Equal in every number: integers, truth values, text. */
  record Exact() implements Criterion {
    @Override
    public boolean accepts(Difference difference) {
      return difference.maxAbsError() == 0;
    }

    @Override
    public double threshold() {
      return 0;
    }
  }

  /**
   * Bounds of the largest and of the root mean square error.
   *
   * @param rms infinite for none
   */
  record Absolute(double max, double rms) implements Criterion {
    @Override
    public boolean accepts(Difference difference) {
      return difference.maxAbsError() <= max && difference.rmsError() <= rms;
    }

    @Override
    public double threshold() {
      return max;
    }
  }

  /** A bound of every error in proportion to the expected number. */
  record Relative(double max) implements Criterion {
    @Override
    public boolean accepts(Difference difference) {
      return difference.maxRelativeError() <= max;
    }

    @Override
    public double threshold() {
      return max;
    }
  }

  /** A bound of the root mean square error alone. */
  record RootMeanSquare(double max) implements Criterion {
    @Override
    public boolean accepts(Difference difference) {
      return difference.rmsError() <= max;
    }

    @Override
    public double threshold() {
      return max;
    }
  }

  /**
   * A bound of the correlation, for values rounded to bfloat16. A correlation is blind to a factor
   * and an offset, so the rms error is bounded too, by a tenth of the expected values' own rms.
   * Where the correlation is undefined, the largest error counts: two roundings (2⁻⁷ in all) of the
   * largest expected number.
   */
  record Correlation(double min) implements Criterion {
    @Override
    public boolean accepts(Difference difference) {
      return Double.isNaN(difference.pcc())
          ? difference.maxAbsError() <= 0x1p-7 * difference.maxExpected()
          : difference.pcc() >= min && difference.rmsError() <= 0.1 * difference.rmsExpected();
    }

    @Override
    public double threshold() {
      return min;
    }
  }
}
