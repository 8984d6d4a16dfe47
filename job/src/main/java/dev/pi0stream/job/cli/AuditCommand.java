package dev.pi0stream.job.cli;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.job.audit.Audit;
import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.audit.AuditSettings;
import dev.pi0stream.job.audit.Finding;
import dev.pi0stream.job.audit.Recomputation;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.engine.ResidentPolicy;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pi0 audit}: what became of every observation, from the broker alone. */
@Command(
    name = "audit",
    mixinStandardHelpOptions = true,
    description = {
      "Reads observations, chunks and outcomes from a Kafka broker and says what became of every"
          + " observation. Trusts neither Flink nor transactions nor what the job says of itself.",
      "",
      "All is well when every record of the observations topic has an outcome, from each generation"
          + " of the job one at most; when answers are those of the observation that they name and"
          + " go to its robot; when repeats are equal; when no chunk is older than one already"
          + " delivered without saying so; and when what was superseded was superseded by"
          + " something.",
      "With --checkpoint some chunks are computed again, each alone: rows of a batch went to the"
          + " robots that they came from."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all is well",
      "1:something is not; the report says what",
      "2:the broker, a topic or a checkpoint cannot be read, or an option is wrong"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 audit --kafka localhost:9092",
      "  pi0 audit --kafka localhost:9092 --from 2026-03-01T12:00:00Z --json audit.json",
      "  pi0 audit --kafka localhost:9092 --checkpoint examples/checkpoint --recompute 500"
    })
final class AuditCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final int SHOWN = 20;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeviceOptions where;

  @Option(
      names = "--kafka",
      required = true,
      paramLabel = "HOST:PORT",
      description = "The Kafka broker.")
  private String kafka;

  @Option(
      names = "--from",
      paramLabel = "TIME",
      description =
          "Only observations whose record is as old as this or newer, such as"
              + " 2026-03-01T12:00:00Z (default: all).")
  private Instant from;

  @Option(
      names = "--to",
      paramLabel = "TIME",
      description = "Only observations whose record is older than this (default: all).")
  private Instant to;

  @Option(
      names = "--observations",
      paramLabel = "TOPIC",
      defaultValue = "observations",
      description = "The topic of observations (default: ${DEFAULT-VALUE}).")
  private String observations;

  @Option(
      names = "--chunks",
      paramLabel = "TOPIC",
      defaultValue = "chunks",
      description = "The topic of chunks (default: ${DEFAULT-VALUE}).")
  private String chunks;

  @Option(
      names = "--outcomes",
      paramLabel = "TOPIC",
      defaultValue = "outcomes",
      description = "The topic of outcomes (default: ${DEFAULT-VALUE}).")
  private String outcomes;

  @Option(
      names = "--wait",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description =
          "How long to wait for outcomes that are not there yet, such as 10s (default: not at"
              + " all).")
  private Duration patience;

  @Option(
      names = "--checkpoint",
      paramLabel = "DIR",
      description = "Compute chunks again with this policy (default: none).")
  private Path checkpoint;

  @Option(
      names = "--recompute",
      paramLabel = "COUNT",
      defaultValue = "100",
      description =
          "The most chunks to compute again, at even distances (default: ${DEFAULT-VALUE}).")
  private int samples;

  @Override
  public Integer call() {
    if (samples < 1) {
      throw new CommandException(
          CommandLine.ExitCode.USAGE,
          "--recompute is %d: expected 1 or more".formatted(samples),
          null);
    }
    AuditReport report;
    try {
      report = checkpoint == null ? audit(Recomputation.none()) : auditWithPolicy();
    } catch (IllegalArgumentException | CheckpointException | DeviceException | KafkaException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
    print(report);
    common.write(report);
    return report.isClean() ? CommandLine.ExitCode.OK : FAILED;
  }

  private AuditReport auditWithPolicy() {
    try (Checkpoint opened = Checkpoint.open(checkpoint);
        ResidentPolicy policy = ResidentPolicy.load(opened, where.open())) {
      return audit(Recomputation.of(policy, samples));
    }
  }

  private AuditReport audit(Recomputation recomputation) {
    KafkaSettings usual = KafkaSettings.defaults(kafka);
    return new Audit(
            new AuditSettings(
                new KafkaSettings(
                    kafka, observations, chunks, outcomes, usual.group(), usual.start()),
                Optional.ofNullable(from),
                Optional.ofNullable(to),
                patience == null ? Duration.ZERO : patience))
        .run(recomputation);
  }

  private void print(AuditReport report) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%d observations = %d chunks + %d superseded + %d expired + %d rejected + %d without an"
            + " outcome%n",
        report.records(),
        report.chunks(),
        report.superseded(),
        report.expired(),
        report.rejected(),
        report.missing());
    out.printf("%d answers repeat another, as recoveries leave them%n", report.repeats());
    if (report.recomputed() > 0) {
      out.printf("%d chunks were computed again%n", report.recomputed());
    }
    for (Finding finding : report.examples().stream().limit(SHOWN).toList()) {
      out.printf(
          "%s: %s%n",
          finding.place() == null ? finding.kind().label() : finding.place(), finding.sentence());
    }
    out.println(
        report.isClean()
            ? "all is well"
            : report.findings().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(found -> found.getValue() + " " + found.getKey().label())
                .collect(Collectors.joining(", ")));
    out.flush();
  }
}
