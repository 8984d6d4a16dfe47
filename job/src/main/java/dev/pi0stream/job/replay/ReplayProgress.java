package dev.pi0stream.job.replay;

import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** How far a replay is: a line that is written over on a terminal, now and then one elsewhere. */
final class ReplayProgress {
  private static final Duration TERMINAL_INTERVAL = Duration.ofMillis(500);
  private static final Duration PLAIN_INTERVAL = Duration.ofSeconds(10);
  private static final double MILLIS_PER_SECOND = 1e3;

  private final PrintWriter out;
  private final boolean terminal;
  private final long total;
  private final long before;
  private final Instant begun = Instant.now();
  private Instant shown = begun;

  /**
   * @param total answers of the whole replay
   * @param before those that were there when it went on
   */
  ReplayProgress(PrintWriter out, boolean terminal, long total, long before) {
    this.out = out;
    this.terminal = terminal;
    this.total = total;
    this.before = before;
  }

  /** Shows how many answers there are since it began, when it is time. */
  void show(long answered) {
    Instant now = Instant.now();
    Duration interval = terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
    if (answered > 0 && Duration.between(shown, now).compareTo(interval) >= 0) {
      shown = now;
      write(line(answered, Duration.between(begun, now)));
    }
  }

  /** What is shown. */
  String line(long answered, Duration elapsed) {
    long done = Math.min(total, before + answered);
    double rate = answered / Math.max(1e-3, elapsed.toMillis() / MILLIS_PER_SECOND);
    long left = Math.round((total - done) / rate);
    return String.format(
        Locale.ROOT,
        "%,d of %,d answers (%d %%), %.1f a second, %d:%02d:%02d left",
        done,
        total,
        100 * done / Math.max(1, total),
        rate,
        left / 3600,
        left / 60 % 60,
        left % 60);
  }

  /** Leaves the line as it is. */
  void end() {
    if (terminal && shown.isAfter(begun)) {
      out.println();
    }
    out.flush();
  }

  private void write(String line) {
    if (terminal) {
      out.print('\r' + line + "\u001b[K");
    } else {
      out.println(line);
    }
    out.flush();
  }
}
