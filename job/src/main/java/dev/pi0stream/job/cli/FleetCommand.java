package dev.pi0stream.job.cli;

import dev.pi0stream.job.fleet.FleetReport;
import dev.pi0stream.job.fleet.FleetSession;
import dev.pi0stream.job.fleet.FleetSettings;
import dev.pi0stream.job.fleet.RobotFigures;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.run.TerminationSignals;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.processor.Processor;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pi0 fleet}: made-up robots at a job that runs. */
@Command(
    name = "fleet",
    mixinStandardHelpOptions = true,
    description = {
      "Drives a running job with made-up robots over Kafka, and says what they experienced.",
      "",
      "Each robot has a rate and a phase of its own, sends over a network with jitter, brings new"
          + " pictures now and then, and restarts by itself. It plays its newest chunk at its control"
          + " rate: a tick without an action is a starved one. With the same --seed robots do the"
          + " same at the same times.",
      "Pictures are noise: a fleet loads a job, it says nothing of how good the actions are."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every observation has its outcome",
      "1:an observation has none",
      "2:the broker, a topic or the checkpoint cannot be read, or an option is wrong"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 fleet --kafka localhost:9092 --robots 200 --duration 1m",
      "  pi0 fleet --kafka localhost:9092 --robots 1000 --rate 1 --pictures-every 10",
      "  pi0 fleet --kafka localhost:9092 --robots 20 --jitter 50ms --restarts 2 --json fleet.json",
      "  pi0 fleet --kafka localhost:9092 --robots 60 --rate 3 --deadline 1s --paces 0.6,1,2"
    })
final class FleetCommand implements Callable<Integer> {
  private static final int FAILED = 1;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;

  @Option(
      names = "--kafka",
      required = true,
      paramLabel = "HOST:PORT",
      description = "The Kafka broker of the job.")
  private String kafka;

  @Option(
      names = "--robots",
      paramLabel = "N",
      defaultValue = "20",
      description = "How many robots (default: ${DEFAULT-VALUE}).")
  private int robots;

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "30s",
      description = "How long they live (default: ${DEFAULT-VALUE}).")
  private Duration duration;

  @Option(
      names = "--rate",
      paramLabel = "PER_SECOND",
      defaultValue = "5",
      description =
          "Observations of a robot; each has its own, up to a tenth more or less (default:"
              + " ${DEFAULT-VALUE}).")
  private double rate;

  @Option(
      names = "--pictures-every",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "New pictures come with every N-th observation, the others say \"the same as before\""
              + " (default: ${DEFAULT-VALUE}).")
  private int picturesEvery;

  @Option(
      names = "--control-rate",
      paramLabel = "PER_SECOND",
      defaultValue = "10",
      description = "Actions that a robot plays (default: ${DEFAULT-VALUE}).")
  private double controlRate;

  @Option(
      names = "--paces",
      paramLabel = "FACTOR",
      split = ",",
      defaultValue = "1",
      description =
          "Robots are so many times slower, one after the other and then from the first again: what"
              + " they observe and play takes so many times as long, and a deadline, too (default:"
              + " all alike).")
  private List<Double> paces;

  @Option(
      names = "--jitter",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description =
          "The most that the network delays an observation, and again a chunk (default: not at"
              + " all).")
  private Duration jitter = Duration.ZERO;

  @Option(
      names = "--restarts",
      paramLabel = "PER_MINUTE",
      defaultValue = "0",
      description =
          "How often a robot restarts, on average; it is gone for one to five seconds (default:"
              + " never).")
  private double restarts;

  @Option(
      names = "--deadline",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "An observation expires if it was not begun by then (default: never).")
  private Duration deadline;

  @Option(
      names = "--stale-after",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "1s",
      description =
          "An action that was observed longer ago than this is stale (default: ${DEFAULT-VALUE}).")
  private Duration staleAfter;

  @Option(
      names = "--frame",
      paramLabel = "PIXELS",
      defaultValue = "112",
      description = "Columns and rows of pictures (default: ${DEFAULT-VALUE}).")
  private int frameSide;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      defaultValue = "put the red block on the white tray",
      description = "The instruction (default: ${DEFAULT-VALUE}).")
  private String prompt;

  @Option(
      names = "--seed",
      paramLabel = "NUMBER",
      defaultValue = "0",
      description = "Of all that differs from robot to robot (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--checkpoint",
      paramLabel = "DIR",
      description =
          "The policy that the job serves: it says which cameras and states robots have (default:"
              + " the shipped one, examples/checkpoint).")
  private Path checkpoint;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    FleetReport report;
    try {
      FleetSession session = new FleetSession(settings());
      try (TerminationSignals _ = new TerminationSignals(session::stop)) {
        report = session.execute();
      }
      print(report, session.behind(), out);
    } catch (IllegalArgumentException | CheckpointException | KafkaException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
    common.write(report);
    if (report.together().missing() > 0) {
      throw new CommandException(
          FAILED,
          "%d of %d observations have no outcome"
              .formatted(report.together().missing(), report.together().observations()),
          null);
    }
    return CommandLine.ExitCode.OK;
  }

  private FleetSettings settings() {
    if (!(controlRate > 0) || !Double.isFinite(controlRate)) {
      throw new IllegalArgumentException(
          "--control-rate is %s: expected more than 0".formatted(controlRate));
    }
    return new FleetSettings(
        KafkaSettings.defaults(kafka),
        robots,
        duration,
        body(),
        new FleetSettings.Rhythm(
            rate,
            picturesEvery,
            Duration.ofNanos(Math.round(1e9 / controlRate)),
            jitter,
            restarts,
            Optional.ofNullable(deadline)),
        staleAfter,
        UUID.randomUUID().toString().substring(0, 8),
        seed,
        paces);
  }

  private FleetSettings.Body body() {
    Path folder =
        checkpoint == null
            ? Path.of(System.getProperty("pi0.home", ""), "examples", "checkpoint")
            : checkpoint;
    try (Checkpoint opened = Checkpoint.open(folder)) {
      Processor policy = Processor.open(opened);
      return new FleetSettings.Body(policy.cameras(), frameSide, policy.stateDimensions(), prompt);
    }
  }

  private static void print(FleetReport report, Duration behind, PrintWriter out) {
    RobotFigures all = report.together();
    out.printf(
        "%d robots, %.1f s, %d restarts%n", report.robots(), report.seconds(), all.restarts());
    out.printf(
        "%d observations = %d chunks + %d superseded + %d expired + %d rejected + %d missing%n",
        all.observations(),
        all.chunks(),
        all.superseded(),
        all.expired(),
        all.rejected(),
        all.missing());
    out.printf(
        "age of chunks at arrival p50 %s ms, p95 %s ms, p99 %s ms%n",
        number(report.ageMillis().p50()),
        number(report.ageMillis().p95()),
        number(report.ageMillis().p99()));
    out.printf(
        Locale.ROOT,
        "%d control ticks: %d starved%s, %d with a stale action; longest gap between chunks %.0f ms%n",
        all.ticks(),
        all.starvedTicks(),
        report.starvedShare() == null
            ? ""
            : String.format(Locale.ROOT, " (%.2f %%)", 100 * report.starvedShare()),
        all.staleTicks(),
        all.longestGapMillis());
    out.printf(
        "%d chunks outdated, %d overdue on arrival, %d repeats%n",
        all.outdatedChunks(), all.overdueChunks(), all.repeats());
    for (RobotFigures robot : report.worst()) {
      out.printf(
          "  %s: %d of %d ticks starved%n", robot.robot(), robot.starvedTicks(), robot.ticks());
    }
    if (behind.toMillis() > 100) {
      out.printf(
          "robots were up to %d ms late: this machine does not keep up with them%n",
          behind.toMillis());
    }
    out.flush();
  }

  private static String number(Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, "%.1f", value);
  }
}
