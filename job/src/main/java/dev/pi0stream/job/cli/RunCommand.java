package dev.pi0stream.job.cli;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.job.configuration.Configuration;
import dev.pi0stream.job.configuration.ConfigurationOptions;
import dev.pi0stream.job.configuration.Settings;
import dev.pi0stream.job.run.Run;
import dev.pi0stream.job.run.RunResult;
import dev.pi0stream.job.run.RunSettings;
import dev.pi0stream.job.run.Summary;
import dev.pi0stream.job.run.TerminationSignals;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.operators.dataset.DatasetException;
import dev.pi0stream.operators.policy.CheckpointLoader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.flink.util.FlinkException;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pi0 run}: the streaming job, with robots that play logged episodes. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description = {
      "Serves a policy to robots: observations from a Kafka topic, action chunks to another.",
      "",
      "Starts a Kafka broker and a Flink cluster inside this process and lets every episode of a"
          + " LeRobot dataset play a robot in real time, over again until the duration ends."
          + " Without options it is the shipped policy on the shipped episodes.",
      "With --robots-only it starts neither: a job that runs on a cluster of its own serves the"
          + " robots.",
      "At the end every observation is accounted for: a chunk, superseded by a newer observation"
          + " of its robot, expired, or rejected with a reason."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every observation has its outcome",
      "1:the job failed, or an observation has none",
      "2:it cannot start: a file, folder or option is wrong"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 run",
      "  pi0 run --duration 20s --json out.json",
      "  pi0 run --device cpu --precision bf16 --speed 2 --port 8081",
      "  pi0 run --checkpoint DIR --robots DATASET --camera base_0_rgb=top",
      "  pi0 run --kafka broker:9092 --duration 5m",
      "  pi0 run --config conf/pi0.yaml --robots-only --duration 20s",
      "  pi0 run --duration 20s --record recording"
    })
final class RunCommand implements Callable<Integer> {
  private static final int FAILED = 1;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeviceOptions where;
  @Mixin private CameraOptions cameras;
  @Mixin private ConfigurationOptions options;

  @Option(
      names = "--checkpoint",
      paramLabel = "DIR",
      description = "Folder of the policy (default: the shipped one, examples/checkpoint).")
  private Path checkpoint;

  @Option(
      names = "--robots",
      paramLabel = "DATASET",
      description =
          "A LeRobot dataset (v3.0 or v2.1); each of its episodes plays a robot (default: the shipped one,"
              + " examples/episodes).")
  private Path robots;

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "How long the robots run, such as 20s, 5m or 1h30m (default: until Ctrl-C).")
  private Duration duration;

  @Option(
      names = "--speed",
      paramLabel = "FACTOR",
      defaultValue = "1",
      description =
          "How many times faster than they were logged the robots are (default:"
              + " ${DEFAULT-VALUE}).")
  private double speed;

  @Option(
      names = "--no-telemetry",
      description = "Do not sum up what each robot experiences to the telemetry topic.")
  private boolean withoutTelemetry;

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description =
          "A running Kafka broker (default: one inside this process). Topics that it lacks are"
              + " created.")
  private String kafka;

  @Option(
      names = "--robots-only",
      description =
          "Only play the robots and keep the books: the job runs already, on a cluster of its own"
              + " that reads from the broker of --kafka.")
  private boolean robotsOnly;

  @Option(
      names = "--kafka-port",
      paramLabel = "PORT",
      defaultValue = "0",
      description = "Port of the broker inside this process (default: any free one).")
  private int kafkaPort;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "0",
      description = "Port of Flink's web UI (default: any free one).")
  private int webPort;

  @Option(
      names = "--metrics-port",
      paramLabel = "PORT",
      defaultValue = "0",
      description = "Port where Prometheus may ask for metrics, such as 9249 (default: none).")
  private int metricsPort;

  @Option(
      names = "--max-batch",
      paramLabel = "N",
      description = "The most robots that are computed together (default: as configured, 8).")
  private Integer maxBatch;

  @Option(
      names = "--record",
      paramLabel = "DIR",
      description =
          "Record observations, chunks and outcomes to Avro container files in this folder, which"
              + " `pi0 replay --dataset DIR` takes.")
  private Path record;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    RunResult result;
    try {
      RunSettings settings = settings(options.read());
      if (!robotsOnly) {
        // A device that cannot be had is noticed here, not when broker and cluster are up.
        Devices.open(backEnd(settings.device()), Precision.parse(settings.precision())).close();
      }
      result = run(new Run(settings, new CheckpointLoader(), out, isTerminal()));
    } catch (IllegalArgumentException
        | CheckpointException
        | DatasetException
        | DeviceException
        | KafkaException
        | FlinkException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
    report(result, out);
    common.write(result.summary());
    if (result.failure().isPresent()) {
      throw new CommandException(FAILED, result.failure().get(), null);
    }
    if (result.summary().missing() != 0) {
      throw new CommandException(
          FAILED,
          "%d of %d observations have no outcome"
              .formatted(result.summary().missing(), result.summary().observations()),
          null);
    }
    return CommandLine.ExitCode.OK;
  }

  private static RunResult run(Run run) throws Exception {
    try (TerminationSignals _ = new TerminationSignals(run::stop)) {
      return run.execute();
    }
  }

  @SuppressWarnings("SystemConsoleNull") // Since JDK 25 there is none again without a terminal.
  static boolean isTerminal() {
    return System.console() != null && System.console().isTerminal();
  }

  private RunSettings settings(Configuration configuration) {
    if (kafka != null && isGiven("--kafka-port")) {
      throw new CommandException(
          CommandLine.ExitCode.USAGE,
          "--kafka-port is for the broker inside this process, --kafka for another: give one",
          null);
    }
    // The robots of another's job need no device.
    boolean configured =
        robotsOnly || (!isGiven("--device") && configuration.isGiven(Settings.DEVICE));
    String device = configured ? configuration.get(Settings.DEVICE) : where.device();
    String reason = configured ? "as configured" : where.reason();
    Precision precision;
    if (isGiven("--precision")) {
      precision = where.precision();
    } else if (configuration.isGiven(Settings.PRECISION)) {
      precision = configuration.get(Settings.PRECISION);
    } else {
      precision = Devices.defaultPrecision(backEnd(device));
    }
    return new RunSettings(
        checkpoint(configuration),
        robots == null ? Shipped.episodes() : robots,
        device,
        precision.label(),
        reason,
        speed,
        Optional.ofNullable(duration),
        cameras.names(),
        !withoutTelemetry && configuration.get(Settings.TELEMETRY),
        Optional.ofNullable(kafka).or(() -> configuration.find(Settings.BOOTSTRAP_SERVERS)),
        kafkaPort,
        webPort,
        metricsPort,
        robotsOnly,
        maxBatch == null ? configuration.get(Settings.MAX_BATCH) : maxBatch,
        Optional.ofNullable(record),
        configuration);
  }

  private Path checkpoint(Configuration configuration) {
    if (checkpoint != null) {
      return checkpoint;
    }
    return configuration.isGiven(Settings.CHECKPOINT)
        ? Path.of(configuration.get(Settings.CHECKPOINT))
        : Shipped.checkpoint();
  }

  /** Of devices that are named by their numbers. */
  private static String backEnd(String device) {
    return device.replaceFirst("[:,].*", "");
  }

  private boolean isGiven(String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }

  private static void report(RunResult result, PrintWriter out) {
    Summary summary = result.summary();
    out.printf(
        "%n%d observations = %d chunks + %d superseded + %d expired + %d rejected%n",
        summary.observations(),
        summary.chunks(),
        summary.superseded(),
        summary.expired(),
        summary.rejected());
    out.printf(
        "latency p50 %s ms, p95 %s ms, p99 %s ms; batch size %s; mean abs error to the logged"
            + " actions %s%n",
        number(1, summary.latencyMillis().p50()),
        number(1, summary.latencyMillis().p95()),
        number(1, summary.latencyMillis().p99()),
        number(2, summary.batchSizeMean()),
        number(5, summary.meanAbsErrorToLogged()));
    result.rejection().ifPresent(reason -> out.printf("first rejection: %s%n", reason));
    out.flush();
  }

  private static String number(int digits, Double value) {
    return value == null ? "-" : ("%." + digits + "f").formatted(value);
  }
}
