package dev.pi0stream.operators.session;

import dev.pi0stream.model.engine.ChunkInExecution;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.source.SourcePosition;
import java.time.Instant;
import java.util.Map;

/**
 * An observation that stands for itself: its session has filled in what was said to be as before.
 *
 * @param deadline null for none
 * @param prompt the instruction in force
 * @param frames by camera
 * @param execution the chunk that the robot is executing; null without real-time chunking
 */
public record ResolvedObservation(
    SourcePosition source,
    String robot,
    String episode,
    long sequence,
    Instant observedAt,
    Instant deadline,
    String prompt,
    float[] state,
    Map<String, Frame> frames,
    ChunkInExecution execution) {
  /** Whose observation it is. */
  public ObservationId id() {
    return new ObservationId(robot, episode, sequence);
  }
}
