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
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeviceOptions where;
  @Mixin private MadeUpOptions madeUp;

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
    madeUp.check();
    NumberRange.from(1).require(spec, "--runs", runs);
    NumberRange.from(0).require(spec, "--warmup", warmup);
    return source.open(madeUp.cameras(), this::measure);
  }

  private int measure(String name, PolicyWeights weights) {
    int euler = steps == null ? weights.config().inferenceSteps() : steps;
    NumberRange.from(1).require(spec, "--steps", euler);
    BenchSettings settings =
        new BenchSettings(
            madeUp.cameras(),
            madeUp.tokens(weights.config()),
            madeUp.batch(),
            euler,
            runs,
            warmup,
            scope());
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
}
