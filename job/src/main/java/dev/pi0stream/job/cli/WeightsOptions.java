package dev.pi0stream.job.cli;

import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.checkpoint.RandomWeights;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BiFunction;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Where the weights come from, for commands to which it matters little what they are. */
final class WeightsOptions {
  private static final long SEED = 0;

  @Option(
      names = "--random-weights",
      paramLabel = "SIZE",
      description = "Weights made up in memory, of the published sizes: pi0 or pi05; or tiny.")
  private RandomWeights.Size size;

  @Option(names = "--checkpoint", paramLabel = "DIR", description = "The weights of a folder.")
  private Path checkpoint;

  /**
   * Opens the weights for as long as they are used.
   *
   * @param cameras that made-up weights are for
   * @param use takes what the weights are called, and the weights
   */
  <R> R open(int cameras, BiFunction<String, PolicyWeights, R> use) {
    try {
      if (size != null) {
        try (RandomWeights weights = RandomWeights.of(size, cameras, SEED)) {
          return use.apply("random, " + size.name().toLowerCase(Locale.ROOT), weights);
        }
      }
      try (Checkpoint opened = Checkpoint.open(checkpoint)) {
        return use.apply(checkpoint.toString(), opened);
      }
    } catch (CheckpointException | IllegalArgumentException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
  }
}
