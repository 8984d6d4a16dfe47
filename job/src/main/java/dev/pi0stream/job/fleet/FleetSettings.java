package dev.pi0stream.job.fleet;

import dev.pi0stream.job.graph.KafkaSettings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A fleet.
 *
 * @param kafka the broker and the topics of the job
 * @param robots how many there are
 * @param duration from the first observation to the last
 * @param body what the policy asks of robots
 * @param rhythm when they observe, send and stop
 * @param staleAfter an action that was observed longer ago than this is stale
 * @param session what the names of episodes begin with; unique among all that ever went to the
 *     topic
 * @param seed of all that differs from robot to robot
 * @param paces robots are so many times slower than the rhythm, one after the other and then from
 *     the first again
 */
public record FleetSettings(
    KafkaSettings kafka,
    int robots,
    Duration duration,
    Body body,
    Rhythm rhythm,
    Duration staleAfter,
    String session,
    long seed,
    List<Double> paces) {
  public FleetSettings {
    paces = List.copyOf(paces);
    if (paces.isEmpty() || paces.stream().anyMatch(pace -> !(pace > 0 && pace <= MAX_PACE))) {
      throw new IllegalArgumentException(
          "paces are %s: expected one or more, each above 0 and at most %d"
              .formatted(paces, MAX_PACE));
    }
    if (robots < 1) {
      throw new IllegalArgumentException("robots are %d: expected 1 or more".formatted(robots));
    }
    if (!duration.isPositive() || !staleAfter.isPositive()) {
      throw new IllegalArgumentException("durations of a fleet: expected more than 0");
    }
  }

  private static final int MAX_PACE = 1000;

  /** Robots of one pace. */
  public FleetSettings(
      KafkaSettings kafka,
      int robots,
      Duration duration,
      Body body,
      Rhythm rhythm,
      Duration staleAfter,
      String session,
      long seed) {
    this(kafka, robots, duration, body, rhythm, staleAfter, session, seed, List.of(1.0));
  }

  /** The times of one robot. */
  Rhythm rhythm(int robot) {
    return rhythm.slowed(paces.get(robot % paces.size()));
  }

  /**
   * What robots have, as the policy wants it.
   *
   * @param cameras the policy's names
   * @param frameSide columns and rows of frames
   * @param stateNumbers of a joint state
   * @param prompt the instruction
   */
  public record Body(List<String> cameras, int frameSide, int stateNumbers, String prompt) {
    public Body {
      cameras = List.copyOf(cameras);
      if (frameSide < 4) {
        throw new IllegalArgumentException(
            "side of frames is %d: expected 4 or more".formatted(frameSide));
      }
    }
  }

  /**
   * The times of a fleet; each robot's own rates are up to a tenth more or less.
   *
   * @param observationsPerSecond of a robot
   * @param picturesEvery so many observations bring new pictures; the others say "the same as
   *     before"
   * @param controlPeriod from one action to the next
   * @param jitter the most that the network delays an observation, or a chunk
   * @param restartsPerMinute of a robot, on average; it is gone for some seconds and begins a new
   *     episode
   * @param deadline after an observation; empty for none
   */
  public record Rhythm(
      double observationsPerSecond,
      int picturesEvery,
      Duration controlPeriod,
      Duration jitter,
      double restartsPerMinute,
      Optional<Duration> deadline) {
    public Rhythm {
      if (!(observationsPerSecond > 0) || !Double.isFinite(observationsPerSecond)) {
        throw new IllegalArgumentException(
            "observations per second are %s: expected more than 0"
                .formatted(observationsPerSecond));
      }
      if (picturesEvery < 1) {
        throw new IllegalArgumentException(
            "pictures come every %d observations: expected 1 or more".formatted(picturesEvery));
      }
      if (!controlPeriod.isPositive()) {
        throw new IllegalArgumentException(
            "control period is %s: expected more than 0".formatted(controlPeriod));
      }
      if (jitter.isNegative()) {
        throw new IllegalArgumentException("jitter is %s: expected 0 or more".formatted(jitter));
      }
      if (!(restartsPerMinute >= 0) || !Double.isFinite(restartsPerMinute)) {
        throw new IllegalArgumentException(
            "restarts per minute are %s: expected 0 or more".formatted(restartsPerMinute));
      }
    }

    /** Slower by a factor: what is observed, played and of use takes so many times as long. */
    Rhythm slowed(double pace) {
      return new Rhythm(
          observationsPerSecond / pace,
          picturesEvery,
          times(controlPeriod, pace),
          jitter,
          restartsPerMinute,
          deadline.map(after -> times(after, pace)));
    }

    private static Duration times(Duration duration, double factor) {
      return Duration.ofNanos(Math.max(1, Math.round(duration.toNanos() * factor)));
    }
  }
}
