package dev.pi0stream.model.engine;

import dev.pi0stream.model.policy.Guidance;
import dev.pi0stream.model.processor.Observation;
import java.time.Instant;
import java.util.Objects;

/**
 * An observation that wants a chunk.
 *
 * @param deadline when the chunk is of no use any more; null for never
 * @param guidance the leftover of the chunk in execution; null without real-time chunking
 */
public record PolicyRequest(
    ObservationId id, Observation observation, Instant deadline, Guidance guidance) {
  public PolicyRequest {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(observation, "observation");
  }
}
