package dev.pi0stream.job.graph;

import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.telemetry.TelemetrySettings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How the job serves, wherever its observations come from.
 *
 * @param engine the policy and its device
 * @param parallelism of all operators
 * @param inFlight the most observations that a task has at its engine; at least twice its robots,
 *     since each may have one running and one waiting
 * @param timeout an observation without an answer for so long ends as expired
 * @param checkpointInterval between two checkpoints
 * @param sessionTimeToLive how long a silent robot is remembered
 * @param limits of an observation
 * @param roster robots that are spread evenly over the subtasks, whatever their names; may be empty
 * @param telemetry how the robots' experience is summed up; empty for not at all
 */
public record JobSettings(
    EngineSpec engine,
    int parallelism,
    int inFlight,
    Duration timeout,
    Duration checkpointInterval,
    Duration sessionTimeToLive,
    ObservationLimits limits,
    List<String> roster,
    Optional<TelemetrySettings> telemetry) {
  public JobSettings {
    roster = List.copyOf(roster);
    requirePositive("parallelism", parallelism);
    requirePositive("observations in flight", inFlight);
    requirePositive("timeout", timeout.toMillis());
    requirePositive("checkpoint interval", checkpointInterval.toMillis());
    requirePositive("time to live of a session", sessionTimeToLive.toMillis());
  }

  /** Settings with the usual telemetry and without a roster. */
  public JobSettings(
      EngineSpec engine,
      int parallelism,
      int inFlight,
      Duration timeout,
      Duration checkpointInterval,
      Duration sessionTimeToLive,
      ObservationLimits limits) {
    this(
        engine,
        parallelism,
        inFlight,
        timeout,
        checkpointInterval,
        sessionTimeToLive,
        limits,
        List.of(),
        Optional.of(TelemetrySettings.DEFAULT));
  }

  /** What suits some hundred robots at one device. */
  public static JobSettings defaults(EngineSpec engine) {
    return new JobSettings(
        engine,
        1,
        1024,
        Duration.ofSeconds(60),
        Duration.ofSeconds(5),
        Duration.ofHours(1),
        ObservationLimits.DEFAULT);
  }

  /** The same with another telemetry. */
  public JobSettings reporting(Optional<TelemetrySettings> another) {
    return new JobSettings(
        engine,
        parallelism,
        inFlight,
        timeout,
        checkpointInterval,
        sessionTimeToLive,
        limits,
        roster,
        another);
  }

  /** The same with a roster of robots. */
  public JobSettings spreading(List<String> robots) {
    return new JobSettings(
        engine,
        parallelism,
        inFlight,
        timeout,
        checkpointInterval,
        sessionTimeToLive,
        limits,
        robots,
        telemetry);
  }

  private static void requirePositive(String what, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException("%s is %d: expected more than 0".formatted(what, value));
    }
  }
}
