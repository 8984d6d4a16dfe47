package dev.pi0stream.job.cli;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.job.replay.EngineCount;
import dev.pi0stream.job.replay.FrameWindow;
import dev.pi0stream.job.replay.Replay;
import dev.pi0stream.job.replay.ReplayMeasurement;
import dev.pi0stream.job.replay.ReplayOutputs;
import dev.pi0stream.job.replay.ReplayResult;
import dev.pi0stream.job.replay.ReplaySettings;
import dev.pi0stream.job.replay.ReplayStoppedException;
import dev.pi0stream.job.run.TerminationSignals;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.RandomWeights;
import dev.pi0stream.operators.dataset.DatasetException;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.operators.policy.RandomWeightsLoader;
import dev.pi0stream.operators.replay.ReplayLoader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
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

/** {@code pi0 replay}: what a policy would have done in logged episodes. */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    description = {
      "Asks a policy about logged episodes and compares what it would have done with what was"
          + " done.",
      "",
      "The operators of `pi0 run` in a job that ends, over a LeRobot dataset (v3.0 or v2.1) or a"
          + " recording (`pi0 run --record`). Observations are batched across episodes and along"
          + " time; none supersedes another. docs/replay.md says what the figures mean.",
      "With --work the replay can be stopped, also by kill -9, and the same command goes on"
          + " without a gap or a repeat."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every frame is accounted for; episodes that cannot be read are skipped and named",
      "1:the job failed, or was stopped",
      "2:it cannot start: a file, folder or option is wrong"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 replay --dataset examples/episodes --report out.html --json out.json",
      "  pi0 replay --dataset DIR --checkpoint DIR --episodes 0-9,12 --stride 5 --samples 4",
      "  pi0 replay --dataset DIR --checkpoint DIR --against OTHER_CHECKPOINT",
      "  pi0 replay --dataset DIR --checkpoint DIR --against-precision bf16",
      "  pi0 replay --dataset DIR --work replay-work --lerobot annotated --parquet chunks.parquet",
      "  pi0 replay --dataset RECORDING --max-batch 1"
    })
final class ReplayCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final String PROCESSOR = "cpu";

  /** So that the first batches do not count as slow ones. */
  private static final Duration REHEARSAL = Duration.ofSeconds(10);

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeviceOptions where;
  @Mixin private CameraOptions cameras;
  @Mixin private AgainstOptions against;

  @Option(
      names = "--dataset",
      required = true,
      paramLabel = "DIR",
      description = "A LeRobot dataset, or a recording.")
  private Path dataset;

  @Option(
      names = "--checkpoint",
      paramLabel = "DIR",
      description = "Folder of the policy (default: the shipped one, examples/checkpoint).")
  private Path checkpoint;

  @Option(
      names = "--random-weights",
      paramLabel = "SIZE",
      description =
          "Weights made up in memory in place of the checkpoint's, of the published sizes: pi0 or"
              + " pi05; or tiny. Cameras, statistics and tokenizer are the checkpoint's. Not to"
              + " judge, but to measure.")
  private RandomWeights.Size randomWeights;

  @Option(
      names = "--episodes",
      paramLabel = "LIST",
      converter = EpisodeNumbers.Converter.class,
      description = "Numbers of episodes, such as 3 or 0-4,7 (default: all).")
  private EpisodeNumbers episodes;

  @Option(
      names = "--from",
      paramLabel = "FRAME|TIME",
      converter = MarkConverter.class,
      description = "Where in each episode to begin: a frame such as 12, a time such as 1.5s.")
  private FrameWindow.Mark from;

  @Option(
      names = "--to",
      paramLabel = "FRAME|TIME",
      converter = MarkConverter.class,
      description = "Where in each episode to end; that frame is not replayed.")
  private FrameWindow.Mark to;

  @Option(
      names = "--stride",
      paramLabel = "N",
      defaultValue = "1",
      description = "Replay every Nth frame (default: ${DEFAULT-VALUE}).")
  private int stride;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "Ask with this instruction in place of the logged ones.")
  private String prompt;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--samples",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Noise samples of each observation; several tell how far the policy spreads (default:"
              + " ${DEFAULT-VALUE}).")
  private int samples;

  @Option(
      names = "--max-batch",
      paramLabel = "N",
      defaultValue = "16",
      description =
          "The most observations that are computed together (default: ${DEFAULT-VALUE}). Starved"
              + " ticks are those of this size: 1 is a robot alone.")
  private int maxBatch;

  @Option(
      names = "--engines",
      paramLabel = "N",
      description =
          "How many engines share the processor, each with batches and threads of its own"
              + " (default: 1).")
  private Integer engines;

  @Option(
      names = "--against-log",
      paramLabel = "FILE|DIR",
      description =
          "A live job's chunks: an Avro container file, or a folder of them. A recording is compared"
              + " with its own without being asked.")
  private Path againstLog;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write an HTML page that needs no other file.")
  private Path report;

  @Option(
      names = "--parquet",
      paramLabel = "FILE",
      description = "Write every chunk to a Parquet file.")
  private Path parquet;

  @Option(
      names = "--lerobot",
      paramLabel = "DIR",
      description =
          "Write the dataset with what was predicted as added columns, as a LeRobotDataset v3.0.")
  private Path lerobot;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = "Keep what is computed here; the same command goes on where it was stopped.")
  private Path work;

  @Option(
      names = "--checkpoint-interval",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "5s",
      description = "How often what is computed is kept (default: ${DEFAULT-VALUE}).")
  private Duration checkpointInterval;

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description =
          "Also write the answers to the topics replay-chunks and replay-outcomes of this broker,"
              + " each exactly once for readers of committed records.")
  private String kafka;

  @Option(
      names = "--measure",
      paramLabel = "ROUNDS",
      description =
          "Only measure how many times faster a replay is than asking about one observation after"
              + " the other: so many rounds, in which both take turns.")
  private Integer rounds;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    ReplayResult result;
    try {
      EngineCount count = engineCount();
      PolicyLoader loader =
          loader(count.engines() == 1 ? CheckpointLoader.ALL_THREADS : count.threads());
      ReplaySettings settings = settings(count);
      if (rounds != null) {
        common.write(measure(settings, loader, out));
        return CommandLine.ExitCode.OK;
      }
      ReplayOutputs outputs = outputs(settings.engine());
      if (randomWeights != null && against.isCheckpoint()) {
        throw new IllegalArgumentException(
            "--against is another checkpoint, but --random-weights has none: give one of them");
      }
      // A device that cannot be had is noticed here, not when the cluster is up.
      where.open().close();
      if (outputs.against().isPresent()) {
        CheckpointLoader.open(outputs.against().get()).close();
      }
      Replay replay =
          new Replay(
              settings, outputs, new ReplayLoader(loader, seed), out, RunCommand.isTerminal());
      try (TerminationSignals _ = new TerminationSignals(replay::stop)) {
        result = replay.execute();
      }
    } catch (ReplayStoppedException e) {
      throw new CommandException(FAILED, e.getMessage(), e);
    } catch (IllegalArgumentException
        | CheckpointException
        | DatasetException
        | DeviceException
        | KafkaException
        | FlinkException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
    common.write(result);
    new ReplaySummary(out).print(result);
    PrintWriter err = spec.commandLine().getErr();
    result
        .skippedEpisodes()
        .forEach(
            skipped ->
                err.printf("episode %d is skipped: %s%n", skipped.episode(), skipped.reason()));
    err.flush();
    return CommandLine.ExitCode.OK;
  }

  private PolicyLoader loader(int threads) {
    return randomWeights == null
        ? new CheckpointLoader(threads)
        : new RandomWeightsLoader(randomWeights);
  }

  private ReplayMeasurement.Rates measure(
      ReplaySettings settings, PolicyLoader loader, PrintWriter out) throws Exception {
    if (rounds < 1) {
      throw new IllegalArgumentException("--measure is %d: expected 1 or more".formatted(rounds));
    }
    ReplayMeasurement.Rates rates =
        new ReplayMeasurement(
                settings.with(settings.engine(), Optional.empty()),
                loader,
                engine(where.device()),
                loader(CheckpointLoader.ALL_THREADS),
                out)
            .run(rounds);
    out.printf(Locale.ROOT, "median of %d: %.2f times%n", rounds, rates.median());
    out.flush();
    return rates;
  }

  /** How many engines there are. */
  private EngineCount engineCount() {
    if (engines == null) {
      return EngineCount.one();
    }
    if (!where.device().equals(PROCESSOR)) {
      throw new IllegalArgumentException(
          "--engines %d shares the processor, but --device is %s"
              .formatted(engines, where.device()));
    }
    return new EngineCount(engines);
  }

  private Path folder() {
    return checkpoint == null ? Shipped.checkpoint() : checkpoint;
  }

  private EngineSpec engine(String devices) {
    return new EngineSpec(folder().toString(), devices, where.precision().label(), maxBatch)
        .warmedUp(REHEARSAL);
  }

  private ReplaySettings settings(EngineCount count) {
    if (maxBatch < 1) {
      throw new IllegalArgumentException(
          "--max-batch is %d: expected 1 or more".formatted(maxBatch));
    }
    return new ReplaySettings(
        dataset,
        engine(count.engines() == 1 ? where.device() : count.devices()),
        Optional.ofNullable(randomWeights),
        seed,
        samples,
        Optional.ofNullable(episodes).map(EpisodeNumbers::numbers),
        new FrameWindow(Optional.ofNullable(from), Optional.ofNullable(to), stride),
        cameras.names(),
        Optional.ofNullable(prompt),
        checkpointInterval,
        Optional.ofNullable(work),
        Optional.ofNullable(kafka));
  }

  private ReplayOutputs outputs(EngineSpec engine) {
    return new ReplayOutputs(
        against.engine(engine).map(other -> other.warmedUp(REHEARSAL)),
        Optional.ofNullable(againstLog),
        Optional.ofNullable(report),
        Optional.ofNullable(parquet),
        Optional.ofNullable(lerobot));
  }
}
