package dev.pi0stream.job.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pi0 checkpoint}. */
@Command(
    name = "checkpoint",
    mixinStandardHelpOptions = true,
    description = "Describe a checkpoint.")
final class CheckpointCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Override
  public Integer call() {
    common.write("");
    return 2;
  }
}
