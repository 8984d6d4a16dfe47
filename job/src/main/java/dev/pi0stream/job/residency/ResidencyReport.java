package dev.pi0stream.job.residency;

import java.io.PrintWriter;

/** Shows a {@link Residency} as tables. */
public final class ResidencyReport {
  private final PrintWriter out;

  public ResidencyReport(PrintWriter out) {
    this.out = out;
  }

  /** Prints everything. */
  public void print(Residency residency) {
    out.printf("weights    %s%n", residency.weights());
    out.printf("device     %s, %s%n", residency.device(), residency.precision());
    out.printf(
        "batch      %d × (%d cameras, %d tokens), %d steps%n",
        residency.batch(), residency.cameras(), residency.tokens(), residency.steps());
    out.println();
    int width = residency.modules().stream().mapToInt(m -> m.name().length()).max().orElse(1);
    String row = "%-8s %-" + width + "s %-12s %-7s %6s %10s %10s%n";
    out.printf(row, "stage", "module", "operation", "where", "calls", "GFLOP", "MB");
    int calls = 0;
    double gigaflops = 0;
    double megabytes = 0;
    for (Residency.Module module : residency.modules()) {
      row(row, module);
      calls += module.calls();
      gigaflops += module.gigaflops();
      megabytes += module.megabytes();
    }
    row(row, new Residency.Module("", "all", "", "device", calls, gigaflops, megabytes));
    out.println();
    for (Residency.HostWork work : residency.host()) {
      out.printf("%-8s %-56s %s%n", "", work.what(), work.where());
    }
    out.println();
    out.printf("%-8s %-12s %-10s %6s %12s%n", "stage", "what", "moves", "times", "bytes");
    for (Residency.Move move : residency.transfers()) {
      out.printf(
          "%-8s %-12s %-10s %6d %,12d%n",
          move.stage(), move.what(), move.direction(), move.count(), move.bytes());
    }
    out.flush();
  }

  private void row(String format, Residency.Module module) {
    out.printf(
        format,
        module.stage(),
        module.name(),
        module.operation(),
        module.where(),
        module.calls(),
        "%.3f".formatted(module.gigaflops()),
        "%.1f".formatted(module.megabytes()));
  }
}
