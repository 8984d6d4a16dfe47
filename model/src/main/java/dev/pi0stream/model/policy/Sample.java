package dev.pi0stream.model.policy;

import java.util.Objects;

/**
 * One row of a batch.
 *
 * @param noise where denoising starts: horizon × action columns, step after step, N(0, 1)
 * @param guidance the leftover of the chunk in execution; null without real-time chunking
 */
public record Sample(ModelInput input, float[] noise, Guidance guidance) {
  public Sample {
    Objects.requireNonNull(input, "input");
    Objects.requireNonNull(noise, "noise");
  }
}
