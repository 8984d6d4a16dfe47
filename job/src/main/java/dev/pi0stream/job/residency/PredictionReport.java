package dev.pi0stream.job.residency;

import java.io.PrintWriter;
import java.util.Locale;

/** Shows a {@link Prediction} as a table. */
public final class PredictionReport {
  private final PrintWriter out;

  public PredictionReport(PrintWriter out) {
    this.out = out;
  }

  /** Prints everything. */
  public void print(Prediction prediction) {
    out.printf(
        "A prediction, nothing was measured: %s on one chip of a %s, %s, prompts of %d tokens, %d steps.%n",
        prediction.weights(),
        prediction.board().toUpperCase(Locale.ROOT),
        prediction.precision(),
        prediction.tokens(),
        prediction.steps());
    out.printf(
        "Supposed: %.0f %% of the published peaks, and %.1f µs for each operation besides.%n%n",
        100 * prediction.shareOfPeak(), prediction.operationMicros());
    out.println(
        "| cameras | robots | operations | TFLOP | GB | at peak, ms | vision | prefix | denoise |"
            + " all, ms | chunks/s |");
    out.println("|---|---|---|---|---|---|---|---|---|---|---|");
    for (Prediction.Row row : prediction.rows()) {
      out.printf(
          "| %s | %s | %,d | %.2f | %.1f | %.1f | %.1f | %.1f | %.1f | **%.1f** | %.1f |%n",
          row.cameras(),
          row.robots(),
          row.operations(),
          row.teraflops(),
          row.gigabytes(),
          row.atPeakMillis(),
          row.visionMillis(),
          row.prefixMillis(),
          row.denoiseMillis(),
          row.millis(),
          row.chunksPerSecond());
    }
    out.println();
    Prediction.Target target = prediction.target();
    out.printf(
        "One robot with all cameras; for %.0f ms either an operation would have to take so little, or the"
            + " share of the peaks to be so high:%n%n",
        target.millis());
    out.println("| operations | at peak, ms | predicted, ms | µs an operation | share |");
    out.println("|---|---|---|---|---|");
    for (Prediction.Variant variant : target.variants()) {
      out.printf(
          "| %s | %.1f | %.1f | %s | %s |%n",
          variant.what(),
          variant.atPeakMillis(),
          variant.predictedMillis(),
          variant.operationMicros() == null
              ? "none would do"
              : "%.1f".formatted(variant.operationMicros()),
          variant.shareOfPeak() == null
              ? "none would do"
              : "%.0f %%".formatted(100 * variant.shareOfPeak()));
    }
    out.flush();
  }
}
