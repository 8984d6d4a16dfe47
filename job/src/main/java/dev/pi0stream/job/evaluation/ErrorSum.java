package dev.pi0stream.job.evaluation;

/** Adds up differences, in units and in proportion to a scale. */
final class ErrorSum {
  private long count;
  private double abs;
  private double squares;
  private double max;
  private long scaledCount;
  private double scaledAbs;
  private double scaledSquares;

  /**
   * Takes a difference.
   *
   * @param scale what counts as 1; 0 where the difference is not to be scaled
   */
  void add(double difference, double scale) {
    double size = Math.abs(difference);
    count++;
    abs += size;
    squares += size * size;
    max = Math.max(max, size);
    if (scale > 0) {
      double scaled = size / scale;
      scaledCount++;
      scaledAbs += scaled;
      scaledSquares += scaled * scaled;
    }
  }

  ErrorFigures figures() {
    return new ErrorFigures(
        count,
        mean(abs, count),
        root(squares, count),
        count == 0 ? null : max,
        mean(scaledAbs, scaledCount),
        root(scaledSquares, scaledCount));
  }

  private static Double mean(double sum, long count) {
    return count == 0 ? null : sum / count;
  }

  private static Double root(double sum, long count) {
    return count == 0 ? null : Math.sqrt(sum / count);
  }
}
