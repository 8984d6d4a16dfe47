package dev.pi0stream.operators.telemetry;

import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.outcome.Outcome;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/**
 * Something that happened to a robot's observation; its event time is that of the observation's
 * record.
 *
 * @param at when it happened, in microseconds since the epoch
 * @param observedAt by the robot's clock, in microseconds since the epoch; of chunks alone, 0
 *     otherwise
 * @param horizon steps of a chunk; 0 for all others
 */
public record RobotEvent(
    String robot, Kind kind, String episode, long sequence, long at, long observedAt, int horizon) {

  private static final long FARTHEST_SECONDS = 9_000_000_000_000L;

  /** What happened. */
  public enum Kind {
    OBSERVED,
    CHUNK,
    SUPERSEDED,
    EXPIRED,
    REJECTED
  }

  /** An observation came. */
  public static RobotEvent observed(DecodedObservation observation) {
    return new RobotEvent(
        observation.robot(),
        Kind.OBSERVED,
        observation.episode(),
        observation.sequence(),
        micros(observation.observedAt()),
        0,
        0);
  }

  /**
   * An observation ended.
   *
   * @param outcome one that names its robot, episode and sequence
   */
  public static RobotEvent ended(Outcome outcome) {
    Outcome.Actions chunk = outcome.chunk();
    return new RobotEvent(
        outcome.robot(),
        switch (outcome.kind()) {
          case CHUNK -> Kind.CHUNK;
          case SUPERSEDED -> Kind.SUPERSEDED;
          case EXPIRED -> Kind.EXPIRED;
          case REJECTED -> Kind.REJECTED;
        },
        outcome.episode(),
        outcome.sequence(),
        micros(outcome.decidedAt()),
        chunk == null ? 0 : micros(chunk.observedAt()),
        chunk == null ? 0 : chunk.horizon());
  }

  /** Robots' clocks say anything; what is beyond some hundred thousand years is cut there. */
  private static long micros(Instant moment) {
    long seconds = Math.clamp(moment.getEpochSecond(), -FARTHEST_SECONDS, FARTHEST_SECONDS);
    return TimeUnit.SECONDS.toMicros(seconds) + TimeUnit.NANOSECONDS.toMicros(moment.getNano());
  }
}
