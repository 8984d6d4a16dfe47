package dev.pi0stream.job.cli;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Precision;
import dev.pi0stream.job.residency.Board;
import dev.pi0stream.job.residency.Prediction;
import dev.pi0stream.job.residency.PredictionReport;
import dev.pi0stream.job.residency.Residency;
import dev.pi0stream.job.residency.ResidencyReport;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pi0 residency}: what of a chunk the device computes, and what moves. */
@Command(
    name = "residency",
    mixinStandardHelpOptions = true,
    description = {
      "Computes a chunk for made-up observations and lists every module of the policy with its"
          + " operations, where they run, their arithmetic and the bytes they touch; then what"
          + " moves between host and device.",
      "With --board it computes nothing and predicts how long chunks would take on one chip of that"
          + " board, from the operations that they are and the board's published peaks."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 residency --checkpoint examples/checkpoint",
      "  pi0 residency --random-weights tiny --batch 4 --json residency.json",
      "  pi0 residency --random-weights pi05 --board p150"
    })
final class ResidencyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeviceOptions where;
  @Mixin private MadeUpOptions madeUp;

  @ArgGroup(multiplicity = "1")
  private WeightsOptions source;

  @Option(
      names = "--board",
      paramLabel = "NAME",
      description =
          "Predict for this Tenstorrent board: n150, n300, p100 or p150; all cameras and batches of"
              + " 1 to 16, in bfp8 or, with --precision, bf16.")
  private String board;

  @Override
  public Integer call() {
    madeUp.check();
    if (board != null) {
      return predict();
    }
    Residency residency =
        source.open(
            madeUp.cameras(),
            (name, weights) -> {
              try (Device device = where.open()) {
                return Residency.of(
                    name,
                    weights,
                    device,
                    madeUp.cameras(),
                    madeUp.tokens(weights.config()),
                    madeUp.batch());
              }
            });
    new ResidencyReport(spec.commandLine().getOut()).print(residency);
    common.write(residency);
    return CommandLine.ExitCode.OK;
  }

  private int predict() {
    for (String option : List.of("--device", "--batch")) {
      if (isGiven(option)) {
        throw new CommandLine.ParameterException(
            spec.commandLine(), option + " is for what is computed, and --board computes nothing");
      }
    }
    Precision precision = isGiven("--precision") ? where.precision() : Precision.BFP8;
    if (precision != Precision.BFP8 && precision != Precision.BF16) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "--precision %s: expected bfp8 or bf16 for a board".formatted(precision.label()));
    }
    Prediction prediction =
        source.open(
            madeUp.cameras(),
            (name, weights) ->
                Prediction.of(
                    name, weights, Board.parse(board), precision, madeUp.tokens(weights.config())));
    new PredictionReport(spec.commandLine().getOut()).print(prediction);
    common.write(prediction);
    return CommandLine.ExitCode.OK;
  }

  private boolean isGiven(String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }
}
