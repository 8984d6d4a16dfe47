package dev.pi0stream.job.run;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * The live figures of a run: a table whose row is written over and over on a terminal, a line now
 * and then elsewhere.
 */
final class Progress {
  private static final Duration TERMINAL_INTERVAL = Duration.ofMillis(500);
  private static final Duration PLAIN_INTERVAL = Duration.ofSeconds(5);
  private static final String HEADER =
      "    time  robots  observations    chunks  superseded  expired  rejected   p50 ms   p95 ms"
          + "  batch     error";

  private final PrintWriter out;
  private final boolean terminal;

  Progress(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** How often there is something to show. */
  Duration interval() {
    return terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
  }

  void begin() {
    out.println();
    out.println(HEADER);
    out.flush();
  }

  /** Shows figures; latencies are those of the last moments. */
  void show(Duration elapsed, int robots, Summary figures) {
    String row =
        "%7.1fs %7d %13d %9d %11d %8d %9d %8s %8s %6s %9s"
            .formatted(
                elapsed.toMillis() / 1e3,
                robots,
                figures.observations(),
                figures.chunks(),
                figures.superseded(),
                figures.expired(),
                figures.rejected(),
                number("%.1f", figures.latencyMillis().p50()),
                number("%.1f", figures.latencyMillis().p95()),
                number("%.1f", figures.batchSizeMean()),
                number("%.5f", figures.meanAbsErrorToLogged()));
    if (terminal) {
      out.print('\r' + row + "\u001b[K");
    } else {
      out.println(row);
    }
    out.flush();
  }

  /** Leaves the row as it is. */
  void end() {
    if (terminal) {
      out.println();
    }
    out.flush();
  }

  private static String number(String format, Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, format, value);
  }
}
