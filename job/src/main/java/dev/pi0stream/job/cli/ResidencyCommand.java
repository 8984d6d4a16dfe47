package dev.pi0stream.job.cli;

import dev.pi0stream.device.Device;
import dev.pi0stream.job.residency.Residency;
import dev.pi0stream.job.residency.ResidencyReport;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code pi0 residency}: what of a chunk the device computes, and what moves. */
@Command(
    name = "residency",
    mixinStandardHelpOptions = true,
    description = {
      "Computes a chunk for made-up observations and lists every module of the policy with its"
          + " operations, where they run, their arithmetic and the bytes they touch; then what"
          + " moves between host and device."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 residency --checkpoint examples/checkpoint",
      "  pi0 residency --random-weights tiny --batch 4 --json residency.json"
    })
final class ResidencyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeviceOptions where;
  @Mixin private MadeUpOptions madeUp;

  @ArgGroup(multiplicity = "1")
  private WeightsOptions source;

  @Override
  public Integer call() {
    madeUp.check();
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
}
