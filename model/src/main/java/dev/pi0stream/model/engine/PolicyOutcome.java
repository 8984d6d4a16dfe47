package dev.pi0stream.model.engine;

import java.time.Duration;

/** How a {@link PolicyRequest} ended. Every request ends in exactly one of these. */
public sealed interface PolicyOutcome {
  /**
   * Actions.
   *
   * @param horizon the number of actions
   * @param dimensions numbers of an action
   * @param actions horizon × dimensions in the robot's units, step after step
   * @param executeFrom the step that is meant to be executed first; 0 without real-time chunking
   * @param reuse what was on the device already
   */
  record Chunk(
      int horizon, int dimensions, float[] actions, int executeFrom, Timing timing, Reuse reuse)
      implements PolicyOutcome {}

  /** A newer observation of the same robot took its place while it waited. */
  record Superseded(ObservationId by) implements PolicyOutcome {}

  /** Its deadline passed before it was begun. */
  record Expired() implements PolicyOutcome {}

  /** It cannot be served; one sentence says why. */
  record Rejected(String reason) implements PolicyOutcome {}

  /**
   * Where the time of a chunk went.
   *
   * @param batchSize rows of its batch
   * @param queued from the request's arrival to the start of its batch
   */
  record Timing(
      int batchSize, Duration queued, Duration vision, Duration prefix, Duration denoise) {}
}
