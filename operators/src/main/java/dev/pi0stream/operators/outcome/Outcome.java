package dev.pi0stream.operators.outcome;

import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.operators.source.SourcePosition;
import java.time.Instant;

/**
 * How a record of the observations topic ended; every one ends in exactly one of these, but for a
 * recovery, which may repeat it.
 *
 * @param source the record
 * @param kind which of the four ends
 * @param robot null where the record could not be read so far
 * @param episode null where the record could not be read so far
 * @param sequence null where the record could not be read so far
 * @param reason one sentence; null for a chunk
 * @param chunk the actions; null for all but a chunk
 * @param decidedAt when it ended
 */
public record Outcome(
    SourcePosition source,
    Kind kind,
    String robot,
    String episode,
    Long sequence,
    String reason,
    Actions chunk,
    Instant decidedAt) {

  /** The four ends of an observation. */
  public enum Kind {
    CHUNK,
    SUPERSEDED,
    EXPIRED,
    REJECTED
  }

  /**
   * Actions, and where their time went.
   *
   * @param observedAt as in the observation
   * @param actions horizon × actionDimensions in the robot's units, step after step
   * @param checkpoint digest of the checkpoint
   * @param device back end and precision
   * @param camerasReused cameras whose features were on the device
   * @param prefixReused whether pictures and prompt had been read before
   * @param executeFrom the step that is meant to be executed first
   */
  public record Actions(
      Instant observedAt,
      int horizon,
      int actionDimensions,
      float[] actions,
      String checkpoint,
      String device,
      int batchSize,
      long queueMicros,
      long visionMicros,
      long prefixMicros,
      long denoiseMicros,
      int camerasReused,
      boolean prefixReused,
      int executeFrom) {}

  /**
   * An end without a chunk.
   *
   * @param id whose observation it was
   */
  public static Outcome ended(
      SourcePosition source, Kind kind, ObservationId id, String reason, Instant decidedAt) {
    return new Outcome(
        source, kind, id.robot(), id.episode(), id.sequence(), reason, null, decidedAt);
  }
}
