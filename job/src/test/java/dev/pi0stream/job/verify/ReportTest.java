package dev.pi0stream.job.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Help.Ansi;

class ReportTest {
  @Test
  void showsStepsThatPassedOnOneLineWithTheWorstOfThem() {
    String shown =
        file(
            result("x.step1", 0.99999, 1e-6, true, null),
            result("x.step2", 0.9999, 3e-6, true, null));

    assertThat(shown).contains("a file  2 passed");
    assertThat(shown.lines().filter(line -> line.contains("x.step")))
        .singleElement()
        .asString()
        .matches(" +x\\.step\\* +2 +0\\.99990000 +3\\.00e-06 .*");
  }

  @Test
  void showsEveryFailureOnALineOfItsOwn() {
    String shown =
        file(
            result("x.step1", 0.99999, 1e-6, true, null),
            result("x.step2", 0.5, 3, false, null),
            result("x.step3", 0.4, 4, false, "too far"));

    assertThat(shown).contains("a file  1 of 3 passed");
    assertThat(shown.lines().filter(line -> line.contains("FAIL"))).hasSize(2);
    assertThat(shown).containsPattern("x\\.step3 .*FAIL: too far");
  }

  @Test
  void endsWithTheFailuresWhatWasNotCheckedAndTheSummary() {
    Result failure = result("x.step2", 0.5, 3, false, "why");
    Verification.Outcome outcome =
        new Verification.Outcome(
            1,
            1,
            List.of(result("x.step1", 1.0, 0, true, null), failure),
            List.of(new Comparisons.Skipped("other file", "no tokenizer")),
            "cpu fp32",
            Duration.ofMillis(1500));
    StringWriter out = new StringWriter();

    new Report(new PrintWriter(out), Ansi.OFF).printEnd(outcome);

    assertThat(out.toString().lines())
        .containsExactly(
            "",
            "Failed:",
            "  a file x.step2: why",
            "",
            "not checked: other file: no tokenizer",
            "1 passed, 1 failed, 1 not checked on cpu fp32 in 1.5 s");
  }

  @Test
  void marksFailuresWhereTheConsoleCan() {
    StringWriter out = new StringWriter();

    new Report(new PrintWriter(out), Ansi.ON)
        .printFile(List.of(result("x.step2", 0.5, 3, false, null)));

    assertThat(out.toString()).contains("\u001b[1m");
  }

  private static String file(Result... results) {
    StringWriter out = new StringWriter();
    new Report(new PrintWriter(out), Ansi.OFF).printFile(List.of(results));
    return out.toString();
  }

  private static Result result(
      String component, double pcc, double error, boolean pass, String note) {
    return new Result("a file", component, pcc, error, error, 1e-4, pass, note);
  }
}
