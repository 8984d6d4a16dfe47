package dev.pi0stream.job.verify;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Pattern;
import picocli.CommandLine.Help.Ansi;

/**
 * Shows results as a table: file by file, the steps and layers of a component that passed on one
 * line with the worst of them, every failure on a line of its own and once more at the end.
 */
public final class Report {
  private static final Pattern NUMBER = Pattern.compile("(?<=step|layer)\\d+");

  private final PrintWriter out;
  private final Ansi ansi;
  private boolean begun;

  public Report(PrintWriter out, Ansi ansi) {
    this.out = out;
    this.ansi = ansi;
  }

  /** Prints the results of one file. */
  public void printFile(List<Result> results) {
    if (!begun) {
      line("component", "count", "PCC", "max error", "rms error", "threshold", "");
      begun = true;
    }
    long passed = results.stream().filter(Result::pass).count();
    out.println();
    out.println(
        results.getFirst().file()
            + (passed == results.size()
                ? "  %d passed".formatted(passed)
                : marked("  %d of %d passed".formatted(passed, results.size()))));
    Map<String, List<Result>> groups = new LinkedHashMap<>();
    for (Result result : results) {
      String name = NUMBER.matcher(result.component()).replaceAll("*");
      groups.computeIfAbsent(name, _ -> new ArrayList<>()).add(result);
    }
    groups.forEach(this::printGroup);
    out.flush();
  }

  private void printGroup(String name, List<Result> group) {
    List<Result> passed = group.stream().filter(Result::pass).toList();
    if (!passed.isEmpty()) {
      Result first = passed.getFirst();
      line(
          passed.size() == 1 ? first.component() : name,
          passed.size(),
          correlation(worst(passed, Result::pcc, Comparator.reverseOrder())),
          scientific(worst(passed, Result::maxAbsError, Comparator.naturalOrder())),
          scientific(worst(passed, Result::rmsError, Comparator.naturalOrder())),
          threshold(first),
          first.note() == null ? "" : first.note());
    }
    for (Result failure : group) {
      if (!failure.pass()) {
        line(
            failure.component(),
            1,
            correlation(failure.pcc()),
            scientific(failure.maxAbsError()),
            scientific(failure.rmsError()),
            threshold(failure),
            marked("FAIL") + note(failure));
      }
    }
  }

  /** Prints the failures once more, what was not checked, and the summary. */
  public void printEnd(Verification.Outcome outcome) {
    out.println();
    if (outcome.failed() > 0) {
      out.println(marked("Failed:"));
      for (Result result : outcome.results()) {
        if (!result.pass()) {
          out.println("  " + result.file() + " " + result.component() + note(result));
        }
      }
      out.println();
    }
    for (Comparisons.Skipped skipped : outcome.skipped()) {
      out.println("not checked: " + skipped.file() + ": " + skipped.reason());
    }
    out.println(outcome.summary());
    out.flush();
  }

  private void line(Object... cells) {
    out.println("  %-36s %5s  %10s  %9s  %9s  %9s  %s".formatted(cells).stripTrailing());
  }

  private static String note(Result result) {
    return result.note() == null ? "" : ": " + result.note();
  }

  private static Double worst(
      List<Result> group, Function<Result, Double> value, Comparator<Double> order) {
    return group.stream().map(value).filter(Objects::nonNull).max(order).orElse(null);
  }

  private static String correlation(Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, "%.8f", value);
  }

  private static String scientific(Double value) {
    return value == null ? "-" : value == 0 ? "0" : String.format(Locale.ROOT, "%.2e", value);
  }

  private static String threshold(Result result) {
    return result.threshold() == 0
        ? "exact"
        : String.format(Locale.ROOT, "%.4g", result.threshold());
  }

  private String marked(String text) {
    return ansi.enabled() ? ansi.string("@|bold,red " + text + "|@") : text;
  }
}
