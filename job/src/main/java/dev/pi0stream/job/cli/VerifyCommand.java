package dev.pi0stream.job.cli;

import dev.pi0stream.device.Device;
import dev.pi0stream.job.verify.GoldenException;
import dev.pi0stream.job.verify.Report;
import dev.pi0stream.job.verify.Verification;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pi0 verify}: golden vectors against what is computed here. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = {
      "Computes everything in a folder of golden vectors anew, from raw frames, state and prompt"
          + " to actions in the robot's units, and compares.",
      "",
      "The folder's manifest.json says what is there: whole cases with and without real-time"
          + " chunking, single operations, preprocessing, tokenizers, the action queue.",
      "In fp32 the manifest's tolerances hold. In fewer bits the final x is judged by LeRobot's own"
          + " bfloat16 error (bf16: once, bfp8: three times, int8: six times it, on average),"
          + " everything else that the device computes by its correlation."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:everything passed",
      "1:something failed",
      "2:the folder is missing or broken, or an option is wrong"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 verify --golden tests/golden",
      "  pi0 verify --golden tests/golden --device reference --json verify.json",
      "  pi0 verify --golden tests/golden --device cpu --precision bf16",
      "  pi0 verify --golden tests/golden --precision bf16 --noises 5"
    })
final class VerifyCommand implements Callable<Integer> {
  private static final int FAILED = 1;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeviceOptions where;

  @Option(
      names = "--golden",
      required = true,
      paramLabel = "DIR",
      description = "The folder of golden vectors.")
  private Path golden;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description =
          "A tokenizer.json for texts whose tokenizer the folder names by its SHA-256 but does not"
              + " hold; may be given several times.")
  private List<Path> tokenizers = List.of();

  @Option(
      names = "--noises",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Also compute the final x of whole cases from N other noises than the golden one, and"
              + " compare with the reference device (default: ${DEFAULT-VALUE}).")
  private int noises;

  @Override
  public Integer call() {
    CommandLine command = spec.commandLine();
    if (noises < 0) {
      throw new CommandLine.ParameterException(
          command, "--noises %d: expected at least 0".formatted(noises));
    }
    Report report = new Report(command.getOut(), command.getColorScheme().ansi());
    try {
      Verification verification = Verification.open(golden, tokenizers);
      try (Device device = where.open()) {
        Verification.Outcome outcome = verification.run(device, noises, report::printFile);
        report.printEnd(outcome);
        common.write(outcome);
        return outcome.failed() == 0 ? CommandLine.ExitCode.OK : FAILED;
      }
    } catch (GoldenException | IllegalArgumentException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
  }
}
