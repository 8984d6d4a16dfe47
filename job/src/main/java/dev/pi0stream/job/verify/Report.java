package dev.pi0stream.job.verify;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine.Help.Ansi;

/**
 * Shows results as a table: file by file, the steps and layers of a component that passed on one
 * line with the worst of them, every failure on a line of its own and once more at the end.
 */
final class Report {
  private static final Pattern NUMBER = Pattern.compile("(?<=step|layer)\\d+");
  private static final String COLUMNS = "  %-44s %5s  %9s  %9s  %9s  %9s  %s%n";

  private final PrintWriter out;
  private final Ansi ansi;

  Report(PrintWriter out, Ansi ansi) {
    this.out = out;
    this.ansi = ansi;
  }

  /** Prints everything. */
  void print(Verification.Outcome outcome) {
    out.printf(COLUMNS, "component", "count", "PCC", "max error", "rms error", "threshold", "");
    Map<String, List<Result>> byFile = new LinkedHashMap<>();
    for (Result result : outcome.results()) {
      byFile.computeIfAbsent(result.file(), file -> new ArrayList<>()).add(result);
    }
    byFile.forEach(this::printFile);
    List<Result> failures = outcome.results().stream().filter(result -> !result.pass()).toList();
    if (!failures.isEmpty()) {
      out.println();
      out.println(ansi.string("@|bold,red Failed:|@"));
      for (Result failure : failures) {
        out.printf("  %s %s%s%n", failure.file(), failure.component(), note(failure));
      }
    }
    for (Comparisons.Skipped skipped : outcome.skipped()) {
      out.printf("%nnot checked: %s: %s%n", skipped.file(), skipped.reason());
    }
    out.println();
    out.println(outcome.summary());
    out.flush();
  }

  private void printFile(String file, List<Result> results) {
    long passed = results.stream().filter(Result::pass).count();
    out.println();
    out.println(
        ansi.string(
            "@|bold %s|@ %d of %d".formatted(escape(file), passed, results.size())));
    Map<String, List<Result>> groups = new LinkedHashMap<>();
    for (Result result : results) {
      String group =
          result.pass()
              ? NUMBER.matcher(result.component()).replaceAll("*")
              : result.component() + " "; // on its own
      groups.computeIfAbsent(group, name -> new ArrayList<>()).add(result);
    }
    groups.forEach((name, group) -> printGroup(group.size() == 1 ? null : name, group));
  }

  private void printGroup(String name, List<Result> group) {
    Result first = group.getFirst();
    out.printf(
        Locale.ROOT,
        COLUMNS,
        name == null ? first.component() : name,
        group.size(),
        correlation(lowest(group)),
        scientific(largest(group.stream().map(Result::maxAbsError).toList())),
        scientific(largest(group.stream().map(Result::rmsError).toList())),
        first.threshold() == 0 ? "exact" : "%.3g".formatted(first.threshold()),
        first.pass()
            ? first.note() == null ? "" : first.note()
            : ansi.string("@|bold,red FAIL|@") + note(first));
  }

  private static String note(Result result) {
    return result.note() == null ? "" : ": " + result.note();
  }

  private static Double lowest(List<Result> group) {
    return group.stream()
        .map(Result::pcc)
        .filter(pcc -> pcc != null)
        .min(Comparator.naturalOrder())
        .orElse(null);
  }

  private static Double largest(Collection<Double> errors) {
    return errors.stream()
        .filter(error -> error != null)
        .max(Comparator.naturalOrder())
        .orElse(null);
  }

  private static String correlation(Double value) {
    return value == null ? "–" : "%.7f".formatted(value);
  }

  private static String scientific(Double value) {
    return value == null ? "–" : value == 0 ? "0" : "%.2e".formatted(value);
  }

  private static String escape(String text) {
    return text.replace("@|", "@ |");
  }
}
