package dev.pi0stream.operators.observation;

import dev.pi0stream.model.engine.ChunkInExecution;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.source.SourcePosition;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * An observation as its robot sent it: what it leaves to the session is not filled in yet.
 *
 * <p>One that cannot be served but says whose it is carries its {@code defect} to the robot's
 * session, which has to know that it was there: a later frame that is "the same as before" must not
 * be taken for an even earlier one.
 *
 * @param deadline null for none
 * @param prompt null where the episode's last one holds, or where it was refused
 * @param promptRefused whether a prompt was sent that cannot be used
 * @param state as it was sent
 * @param frames by camera
 * @param same cameras whose frame is the last one
 * @param framesRefused cameras for which a frame was sent that cannot be used
 * @param execution the chunk that the robot is executing; null without real-time chunking
 * @param defect why it cannot be served; null where nothing was found yet
 */
public record DecodedObservation(
    SourcePosition source,
    String robot,
    String episode,
    long sequence,
    Instant observedAt,
    Instant deadline,
    String prompt,
    boolean promptRefused,
    float[] state,
    Map<String, Frame> frames,
    List<String> same,
    List<String> framesRefused,
    ChunkInExecution execution,
    String defect) {
  /** Whose observation it is. */
  public ObservationId id() {
    return new ObservationId(robot, episode, sequence);
  }
}
