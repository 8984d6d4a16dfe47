package dev.pi0stream.job.bench;

import java.io.PrintWriter;

/** Shows a result as a table. */
public final class BenchReport {
  private static final double GIGA = 1e9;

  private final PrintWriter out;

  public BenchReport(PrintWriter out) {
    this.out = out;
  }

  /** Prints everything. */
  public void print(BenchResult result) {
    out.printf("weights    %s%n", result.weights());
    out.printf("device     %s, %s%n", result.device(), result.precision());
    out.printf(
        "batch      %d × (%d cameras, %d tokens), %d steps; every run computes %s%n",
        result.batch(), result.cameras(), result.tokens(), result.steps(), result.computed());
    out.println();
    out.printf("%-10s %12s %12s %15s%n", "", "mean ms", "TFLOP/s", "share of peak");
    for (Stage stage : Stage.values()) {
      String name = stage.label();
      if (result.stageMillis().get(name) > 0) {
        row(
            name,
            result.stageMillis().get(name),
            result.stageTeraflops().get(name),
            result.stageShareOfPeak().get(name));
      }
    }
    row("all", result.meanMillis(), result.teraflops(), result.shareOfPeak());
    out.println();
    out.printf(
        "p50 %.1f ms, p95 %.1f ms of %d runs; the matrix products alone: %.3f TFLOP/s%n",
        result.p50Millis(), result.p95Millis(), result.runs(), result.peakTeraflops());
    out.printf(
        "loaded in %.1f s; weights %.2f GB, values %.2f GB; peak resident %s%n",
        result.loadSeconds(),
        result.weightBytes() / GIGA,
        result.valueBytes() / GIGA,
        result.peakResidentBytes() == null
            ? "unknown on this system"
            : "%.2f GB".formatted(result.peakResidentBytes() / GIGA));
    if (result.against() != null) {
      out.printf(
          "first velocity against %s: correlation %.5f, the worst of five noises%n",
          result.against(), result.worstCorrelation());
    }
    out.flush();
  }

  private void row(String name, double millis, double teraflops, double share) {
    out.printf("%-10s %12.1f %12.3f %14.1f%%%n", name, millis, teraflops, 100 * share);
  }
}
