package dev.pi0stream.job.verify;

import dev.pi0stream.device.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Judges what was computed and collects the results. */
final class Comparisons {
  private static final Criterion EXACT = new Criterion.Exact();
  private static final Criterion BF16 = new Criterion.Correlation(0.999);
  private static final Criterion BF16_NORM = new Criterion.Correlation(0.9999);

  private final Precision precision;
  private final List<Result> results = new ArrayList<>();
  private final List<Skipped> skipped = new ArrayList<>();

  /**
   * A file that could not be checked with what is in the folder; neither passed nor failed.
   *
   * @param reason one sentence
   */
  public record Skipped(String file, String reason) {}

  Comparisons(Precision precision) {
    this.precision = precision;
  }

  /** The criterion for what the device computes: its precision decides. */
  Criterion device(Criterion fp32) {
    return precision == Precision.FP32 ? fp32 : BF16;
  }

  /**
   * How large the error of a final x may be, in terms of LeRobot's own in bfloat16.
   *
   * @param rms root mean square over all cases
   * @param worst of one case
   */
  record ErrorRatios(double rms, double worst) {}

  /** What is allowed where the precision is not fp32: fewer bits, larger errors. */
  ErrorRatios errorRatios() {
    return switch (precision) {
      case INT8 -> new ErrorRatios(6, 9);
      case BFP8 -> new ErrorRatios(3, 4);
      case BF16, FP32 -> new ErrorRatios(1, 1.5);
    };
  }

  /** The criterion for a norm that the device computes. */
  Criterion norm(Criterion fp32) {
    return precision == Precision.FP32 ? fp32 : BF16_NORM;
  }

  /** Compares all numbers; integers and truth values have to be equal. */
  void compare(
      String file, String component, Values computed, Values expected, Criterion criterion) {
    compare(file, component, computed, expected, criterion, null, null);
  }

  /**
   * Compares the numbers that count; integers and truth values have to be equal.
   *
   * @param counts which numbers mean something; null for all
   * @param note what a person should know besides; null for nothing
   */
  void compare(
      String file,
      String component,
      Values computed,
      Values expected,
      Criterion criterion,
      boolean[] counts,
      String note) {
    Criterion applied = expected.integral() ? EXACT : criterion;
    if (!Arrays.equals(computed.shape(), expected.shape())) {
      fail(
          file,
          component,
          applied,
          "computed %s, expected %s"
              .formatted(Arrays.toString(computed.shape()), Arrays.toString(expected.shape())));
      return;
    }
    Difference difference =
        counts == null
            ? Difference.of(computed.values(), expected.values())
            : Difference.of(computed.values(), expected.values(), counts);
    add(Result.of(file, component, difference, applied, note));
  }

  /** Compares integers within a tolerance: pixels that may be rounded the other way. */
  void comparePixels(
      String file, String component, Values computed, Values expected, double tolerance) {
    Values numbers = new Values(expected.values(), expected.shape(), false);
    compare(
        file,
        component,
        computed,
        numbers,
        new Criterion.Absolute(tolerance, Double.POSITIVE_INFINITY));
  }

  /** Compares what is not a tensor. */
  void same(String file, String component, boolean same, String difference) {
    if (same) {
      add(Result.of(file, component, Difference.NONE, EXACT, null));
    } else {
      fail(file, component, EXACT, difference);
    }
  }

  /** A component for which nothing comparable was computed. */
  void fail(String file, String component, Criterion criterion, String note) {
    add(Result.failure(file, component, criterion, note));
  }

  /** A component, or a whole file, whose computation ended in an exception. */
  void fail(String file, String component, RuntimeException cause) {
    String message = cause.getMessage();
    fail(file, component, EXACT, message == null ? cause.toString() : message);
  }

  /** A result that was judged elsewhere. */
  void add(Result result) {
    results.add(result);
  }

  /** A file that cannot be checked. */
  void skip(String file, String reason) {
    skipped.add(new Skipped(file, reason));
  }

  /** Everything that was judged, in the order in which it was. */
  List<Result> results() {
    return List.copyOf(results);
  }

  /** What could not be checked. */
  List<Skipped> skipped() {
    return List.copyOf(skipped);
  }
}
