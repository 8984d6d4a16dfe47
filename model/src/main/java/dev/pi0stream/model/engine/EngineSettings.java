package dev.pi0stream.model.engine;

import java.time.Duration;
import java.util.Objects;

/**
 * How an engine serves.
 *
 * @param maxBatch the most rows of a batch, at least 1
 * @param rule chooses them
 * @param hangs after this a batch that has not ended counts as hanging, if it also took ten times
 *     of what it was expected to; while nothing is known of the device, after twenty times this
 */
public record EngineSettings(int maxBatch, DispatchRule rule, Duration hangs) {
  public EngineSettings {
    if (maxBatch < 1) {
      throw new IllegalArgumentException("largest batch " + maxBatch + ": expected 1 or more");
    }
    Objects.requireNonNull(rule, "rule");
    if (!hangs.isPositive()) {
      throw new IllegalArgumentException("limit of a batch " + hangs + ": expected more than 0");
    }
  }
}
