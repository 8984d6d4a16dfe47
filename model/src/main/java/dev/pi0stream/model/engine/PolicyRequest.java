package dev.pi0stream.model.engine;

import dev.pi0stream.model.processor.Observation;
import java.time.Instant;
import java.util.Objects;

/**
 * An observation that wants a chunk.
 *
 * @param deadline when the chunk is of no use any more; null for never
 * @param execution the chunk that the robot is executing; null without real-time chunking
 */
public record PolicyRequest(
    ObservationId id, Observation observation, Instant deadline, ChunkInExecution execution) {
  public PolicyRequest {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(observation, "observation");
  }
}
