package dev.pi0stream.job.cli;

import dev.pi0stream.job.evaluation.CriticalFigures;
import dev.pi0stream.job.evaluation.ErrorFigures;
import dev.pi0stream.job.evaluation.EvaluationReport;
import dev.pi0stream.job.evaluation.Moment;
import dev.pi0stream.job.replay.ChunkDifference;
import dev.pi0stream.job.replay.ReplayResult;
import java.io.PrintWriter;
import java.util.Locale;

/** What a replay came to, for a person who looks at a terminal. */
final class ReplaySummary {
  private static final int WORST = 3;

  private final PrintWriter out;

  ReplaySummary(PrintWriter out) {
    this.out = out;
  }

  void print(ReplayResult result) {
    out.printf(
        "%n%,d frames: %,d chunks, %,d rejected; %d episodes skipped%n",
        result.frames(), result.chunks(), result.rejected(), result.skippedEpisodes().size());
    if (result.firstRejection() != null) {
      out.printf("first rejection: %s%n", result.firstRejection());
    }
    if (result.throughput() != null) {
      out.printf(
          Locale.ROOT,
          "%.1f chunks a second for %.1f s; the device was busy for %.0f %% of them%n",
          result.throughput().chunksPerSecond(),
          result.throughput().seconds(),
          100 * result.throughput().engineShare());
    }
    if (result.evaluation() != null) {
      print("", result.evaluation());
    }
    if (result.against() != null) {
      out.printf(
          "%nagainst %s on %s in %s%n",
          result.against().policy().checkpoint(),
          result.against().policy().device(),
          result.against().policy().precision());
      print("", result.against().evaluation());
      print("both", result.against().difference());
    }
    if (result.againstLog() != null) {
      print("live and replayed", result.againstLog());
    }
    out.flush();
  }

  private void print(String indent, EvaluationReport report) {
    ErrorFigures all = report.error().all();
    out.printf(
        "%serror to the log: mean %s, rms %s; normalised mean %s, rms %s%n",
        indent,
        number(all.meanAbs()),
        number(all.rmse()),
        number(all.normalisedMeanAbs()),
        number(all.normalisedRmse()));
    report
        .error()
        .groups()
        .forEach(
            (group, error) ->
                out.printf(
                    "%s  %-18s mean %s, normalised %s%n",
                    indent, group, number(error.meanAbs()), number(error.normalisedMeanAbs())));
    report
        .error()
        .critical()
        .forEach((kind, figures) -> print(indent, kind.name().toLowerCase(Locale.ROOT), figures));
    out.printf(
        "%sstarved ticks %,d of %,d; inference p50 %s ms, p99 %s ms in batches of %s%n",
        indent,
        report.starvedTicks(),
        report.ticks(),
        number(report.inferenceMillis().p50()),
        number(report.inferenceMillis().p99()),
        number(report.batchSizeMean()));
    report.worst().stream().limit(WORST).forEach(moment -> print(indent, moment));
  }

  private void print(String indent, String kind, CriticalFigures figures) {
    if (figures.intervals() > 0) {
      out.printf(
          "%s  %-18s normalised %s, aligned %s (%,d intervals, %s steps late)%n",
          indent,
          kind.replace('_', ' '),
          number(figures.error().normalisedMeanAbs()),
          number(figures.alignedNormalisedMeanAbs()),
          figures.intervals(),
          number(figures.meanLagSteps()));
    }
  }

  private void print(String indent, Moment moment) {
    out.printf(
        "%sworst: episode %d, frame %d: %s predicted %s, logged %s, %d steps ahead%n",
        indent,
        moment.episode(),
        moment.frame(),
        moment.dimension(),
        number((double) moment.predicted()),
        number((double) moment.logged()),
        moment.step());
  }

  private void print(String who, ChunkDifference difference) {
    out.printf(
        "%s: %,d chunks compared, %,d equal, largest difference %s%n",
        who,
        difference.compared(),
        difference.equal(),
        difference.maxAbs() == null ? "-" : difference.maxAbs().toString());
  }

  private static String number(Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, "%.4g", value);
  }
}
