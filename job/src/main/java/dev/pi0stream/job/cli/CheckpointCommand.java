package dev.pi0stream.job.cli;

import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.engine.SelfTest;
import dev.pi0stream.model.processor.Processor;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pi0 checkpoint}: what is in a checkpoint's folder, and whether it can be served. */
@Command(
    name = "checkpoint",
    mixinStandardHelpOptions = true,
    description = {
      "Describes a checkpoint: its policy, sizes, types, parameters, statistics, tokenizer and"
          + " cameras, and which tensors are not used.",
      "A checkpoint that could not be served ends with the reason and exit code 1."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 checkpoint examples/checkpoint",
      "  pi0 checkpoint --json checkpoint.json examples/checkpoint",
      "  pi0 checkpoint --golden examples/checkpoint"
    })
final class CheckpointCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;

  @Parameters(paramLabel = "DIR", description = "The checkpoint's folder.")
  private Path folder;

  @Option(
      names = "--golden",
      description = {
        "Also write "
            + SelfTest.FILE
            + " beside the weights: a made-up observation and the chunk"
            + " that the reference device computes of it. Engines compute it anew before they"
            + " serve, and refuse where they differ."
      })
  private boolean golden;

  @Override
  public Integer call() {
    CheckpointReport report = CheckpointReport.of(folder);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      report = report.with(checkpoint);
      report = report.with(Processor.open(checkpoint), checkpoint.config());
      if (golden) {
        SelfTest.write(checkpoint);
      }
      report = report.withGolden(folder);
      show(report);
      return CommandLine.ExitCode.OK;
    } catch (CheckpointException e) {
      show(report.refused(e.getMessage()));
      throw new CommandException(CommandLine.ExitCode.SOFTWARE, e.getMessage(), e);
    }
  }

  private void show(CheckpointReport report) {
    report.print(spec.commandLine().getOut());
    common.write(report);
  }
}
