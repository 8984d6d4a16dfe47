package dev.pi0stream.operators.policy;

import dev.pi0stream.model.engine.PolicyOutcome;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.session.ResolvedObservation;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** What the engine said of an observation, as the observation's outcome. */
public final class PolicyAnswer {
  private PolicyAnswer() {}

  /**
   * The outcome of an observation.
   *
   * @param policy which answered
   * @param now when it was decided
   */
  public static Outcome of(
      ResolvedObservation observation, PolicyOutcome answer, ServedPolicy policy, Instant now) {
    return switch (answer) {
      case PolicyOutcome.Chunk chunk -> chunk(observation, chunk, policy, now);
      case PolicyOutcome.Superseded superseded ->
          ended(
              observation,
              Outcome.Kind.SUPERSEDED,
              "sequence %d of episode '%s' took its place while it waited"
                  .formatted(superseded.by().sequence(), superseded.by().episode()),
              now);
      case PolicyOutcome.Expired _ ->
          ended(
              observation,
              Outcome.Kind.EXPIRED,
              "its deadline, %s, passed before it was begun".formatted(observation.deadline()),
              now);
      case PolicyOutcome.Rejected rejected ->
          ended(observation, Outcome.Kind.REJECTED, rejected.reason(), now);
    };
  }

  /** The outcome of an observation that was refused before the engine was asked. */
  public static Outcome refused(ResolvedObservation observation, String reason, Instant now) {
    return ended(observation, Outcome.Kind.REJECTED, reason, now);
  }

  /** The outcome of an observation that had no answer in time. */
  public static Outcome timedOut(ResolvedObservation observation, Duration timeout, Instant now) {
    return ended(
        observation,
        Outcome.Kind.EXPIRED,
        "no chunk within the %s s that the job waits for one"
            .formatted(timeout.toMillis() / 1000.0),
        now);
  }

  private static Outcome chunk(
      ResolvedObservation observation,
      PolicyOutcome.Chunk chunk,
      ServedPolicy policy,
      Instant now) {
    PolicyOutcome.Timing timing = chunk.timing();
    return new Outcome(
        observation.source(),
        Outcome.Kind.CHUNK,
        observation.robot(),
        observation.episode(),
        observation.sequence(),
        null,
        new Outcome.Actions(
            observation.observedAt(),
            chunk.horizon(),
            chunk.dimensions(),
            chunk.actions(),
            policy.checkpointDigest(),
            policy.deviceLabel(),
            timing.batchSize(),
            micros(timing.queued()),
            micros(timing.vision()),
            micros(timing.prefix()),
            micros(timing.denoise()),
            chunk.reuse().cameras(),
            chunk.reuse().prefix(),
            chunk.executeFrom()),
        now);
  }

  private static Outcome ended(
      ResolvedObservation observation, Outcome.Kind kind, String reason, Instant now) {
    return Outcome.ended(observation.source(), kind, observation.id(), reason, now);
  }

  private static long micros(Duration duration) {
    return TimeUnit.NANOSECONDS.toMicros(duration.toNanos());
  }
}
