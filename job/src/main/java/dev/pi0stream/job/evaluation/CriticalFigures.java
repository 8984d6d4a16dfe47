package dev.pi0stream.job.evaluation;

/**
 * Errors on critical intervals. Written as JSON with these names.
 *
 * @param intervals how many there are
 * @param frames how many steps in them were asked
 * @param error of the chunks that begin in them
 * @param alignedNormalisedMeanAbs the same as {@code error.normalisedMeanAbs}, each interval at the
 *     shift in time that fits it best
 * @param meanLagSteps mean of those shifts; positive where the policy is late
 * @param meanAbsLagSteps mean of their sizes
 */
public record CriticalFigures(
    long intervals,
    long frames,
    ErrorFigures error,
    Double alignedNormalisedMeanAbs,
    Double meanLagSteps,
    Double meanAbsLagSteps) {

  /** Adds up intervals. */
  static final class Sum {
    private final ErrorSum errors = new ErrorSum();
    private long intervals;
    private long frames;
    private double aligned;
    private double lags;
    private double absLags;
    private long compared;
    private long numbers;

    ErrorSum errors() {
      return errors;
    }

    void interval(int asked, Alignment alignment) {
      intervals++;
      frames += asked;
      if (alignment.normalisedMeanAbs() != null) {
        compared++;
        aligned += alignment.normalisedMeanAbs() * alignment.numbers();
        numbers += alignment.numbers();
        lags += alignment.lag();
        absLags += Math.abs(alignment.lag());
      }
    }

    CriticalFigures figures() {
      return new CriticalFigures(
          intervals,
          frames,
          errors.figures(),
          numbers == 0 ? null : aligned / numbers,
          compared == 0 ? null : lags / compared,
          compared == 0 ? null : absLags / compared);
    }
  }
}
