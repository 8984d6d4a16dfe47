package dev.pi0stream.job.cli;

import dev.pi0stream.device.Precision;
import dev.pi0stream.operators.policy.EngineSpec;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What a policy is compared with; taken in by {@code @Mixin}. */
final class AgainstOptions {
  @Option(
      names = "--against",
      paramLabel = "DIR",
      description = "Another checkpoint, replayed on the same frames with the same noise.")
  private Path checkpoint;

  @Option(
      names = "--against-precision",
      paramLabel = "NAME",
      description = "Compare with another precision, of --against or of the same checkpoint.")
  private String precision;

  @Option(
      names = "--against-device",
      paramLabel = "NAME",
      description = "Compare with another device, of --against or of the same checkpoint.")
  private String device;

  /** Whether it is another checkpoint. */
  boolean isCheckpoint() {
    return checkpoint != null;
  }

  /**
   * What an engine is compared with: where an option is not given, it is as the engine.
   *
   * @throws IllegalArgumentException if there is no such precision
   */
  Optional<EngineSpec> engine(EngineSpec engine) {
    if (checkpoint == null && precision == null && device == null) {
      return Optional.empty();
    }
    return Optional.of(
        new EngineSpec(
            checkpoint == null ? engine.checkpoint() : checkpoint.toString(),
            device == null ? engine.device() : device,
            precision == null ? engine.precision() : Precision.parse(precision).label(),
            engine.maxBatch()));
  }
}
