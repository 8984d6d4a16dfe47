package dev.pi0stream.job.cli;

import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.job.bench.BenchReport;
import dev.pi0stream.job.bench.BenchResult;
import dev.pi0stream.job.bench.BenchSettings;
import dev.pi0stream.job.bench.Benchmark;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pi0 bench}: how fast a policy is on a device. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measures how long a chunk of actions takes, stage by stage, on made-up observations.",
      "",
      "The share of peak compares with the products of rows and weights alone, measured in the"
          + " same run for the same shapes."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 bench --random-weights tiny",
      "  pi0 bench --random-weights pi0 --precision bf16 --json bench.json",
      "  pi0 bench --random-weights pi0 --precision int8 --batch 4 --state-only",
      "  pi0 bench --random-weights pi0 --precision int8 --against fp32 --runs 1",
      "  pi0 bench --checkpoint examples/checkpoint --cameras 2"
    })
final class BenchCommand implements Callable<Integer> {
  private static final int MOST_CAMERAS = 3;
  private static final int MOST_ROBOTS = 32;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeviceOptions where;

  @ArgGroup(multiplicity = "1")
  private WeightsOptions source;

  @ArgGroup private Reuse reuse = new Reuse();

  private static final class Reuse {
    @Option(
        names = "--state-only",
        description = "Only the state has changed: every run reuses the prefix.")
    private boolean stateOnly;

    @Option(
        names = "--one-camera-changed",
        description = "One camera has changed: every run reuses the features of the others.")
    private boolean oneCameraChanged;
  }

  @Option(
      names = "--cameras",
      paramLabel = "N",
      defaultValue = "3",
      description = "Cameras of a robot, 1 to 3 (default: ${DEFAULT-VALUE}).")
  private int cameras;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      description = "Tokens of a prompt (default: as many as the policy takes).")
  private Integer tokens;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "1",
      description = "Robots at a time, 1 to 32 (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Denoising steps (default: the policy's).")
  private Integer steps;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Runs that are measured (default: ${DEFAULT-VALUE}).")
  private int runs;

  @Option(
      names = "--warmup",
      paramLabel = "N",
      defaultValue = "2",
      description = "Runs before those (default: ${DEFAULT-VALUE}).")
  private int warmup;

  @Option(
      names = "--against",
      paramLabel = "PRECISION",
      description =
          "Also compute the first velocity in this precision, from five noises, and say how well"
              + " the two correlate.")
  private String against;

  @Override
  public Integer call() {
    check("--cameras", cameras, 1, MOST_CAMERAS);
    check("--batch", batch, 1, MOST_ROBOTS);
    check("--runs", runs, 1, Integer.MAX_VALUE);
    check("--warmup", warmup, 0, Integer.MAX_VALUE);
    return source.open(cameras, this::measure);
  }

  private int measure(String name, PolicyWeights weights) {
    int prompt = tokens == null ? weights.config().maxTokens() : tokens;
    int euler = steps == null ? weights.config().inferenceSteps() : steps;
    check("--tokens", prompt, 0, Integer.MAX_VALUE);
    check("--steps", euler, 1, Integer.MAX_VALUE);
    BenchSettings settings =
        new BenchSettings(cameras, prompt, batch, euler, runs, warmup, scope());
    PrintWriter err = spec.commandLine().getErr();
    BenchResult result =
        Benchmark.run(
            name,
            weights,
            precision -> Devices.open(where.device(), precision),
            where.precision(),
            against == null ? null : Precision.parse(against),
            settings,
            line -> {
              err.println(line);
              err.flush();
            });
    new BenchReport(spec.commandLine().getOut()).print(result);
    common.write(result);
    return CommandLine.ExitCode.OK;
  }

  private BenchSettings.Scope scope() {
    if (reuse.stateOnly) {
      return BenchSettings.Scope.STATE;
    }
    return reuse.oneCameraChanged ? BenchSettings.Scope.ONE_CAMERA : BenchSettings.Scope.FULL;
  }

  private void check(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          most == Integer.MAX_VALUE
              ? "%s %d: expected at least %d".formatted(option, value, least)
              : "%s %d: expected %d to %d".formatted(option, value, least, most));
    }
  }
}
