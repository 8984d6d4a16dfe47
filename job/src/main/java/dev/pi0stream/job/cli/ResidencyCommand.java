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
import picocli.CommandLine.Option;
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

  @ArgGroup(multiplicity = "1")
  private WeightsOptions source;

  @Option(
      names = "--cameras",
      paramLabel = "N",
      defaultValue = "3",
      description = "Cameras of a robot (default: ${DEFAULT-VALUE}).")
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
      description = "Robots at a time (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Override
  public Integer call() {
    check("--cameras", cameras, 1);
    check("--batch", batch, 1);
    check("--tokens", tokens == null ? 0 : tokens, 0);
    Residency residency =
        source.open(
            cameras,
            (name, weights) -> {
              int prompt = tokens == null ? weights.config().maxTokens() : tokens;
              try (Device device = where.open()) {
                return Residency.of(name, weights, device, cameras, prompt, batch);
              }
            });
    new ResidencyReport(spec.commandLine().getOut()).print(residency);
    common.write(residency);
    return CommandLine.ExitCode.OK;
  }

  private void check(String option, int value, int least) {
    if (value < least) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "%s %d: expected at least %d".formatted(option, value, least));
    }
  }
}
