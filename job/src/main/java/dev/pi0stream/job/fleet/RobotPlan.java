package dev.pi0stream.job.fleet;

import java.util.random.RandomGenerator;

/**
 * All that one robot will do, act after act; a function of the fleet's seed and the robot's number.
 *
 * <p>A robot has a rate and a phase of its own. The network delays observations, but does not
 * reorder those of a robot: they share a connection.
 */
final class RobotPlan {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final double SPREAD = 0.1;
  private static final double MIN_OFF_SECONDS = 1;
  private static final double MAX_OFF_SECONDS = 5;

  private final RandomGenerator random;
  private final FleetSettings.Rhythm rhythm;
  private final double periodNanos;
  private double observed;
  private long lastSent;
  private long offAt;
  private int episode;
  private long sequence;

  /**
   * The plan of a robot.
   *
   * @param random its own
   */
  RobotPlan(FleetSettings.Rhythm rhythm, RandomGenerator random) {
    this.rhythm = rhythm;
    this.random = random;
    double rate = rhythm.observationsPerSecond() * (1 + SPREAD * (2 * random.nextDouble() - 1));
    periodNanos = NANOS_PER_SECOND / rate;
    observed = periodNanos * random.nextDouble();
    offAt = nextOff(0);
  }

  /** The next act; never earlier than the one before. */
  RobotAct next() {
    if (observed >= offAt) {
      RobotAct off = new RobotAct.PowerOff(Math.max(offAt, lastSent));
      double gone = MIN_OFF_SECONDS + (MAX_OFF_SECONDS - MIN_OFF_SECONDS) * random.nextDouble();
      observed = offAt + gone * NANOS_PER_SECOND;
      lastSent = Math.max(lastSent, offAt);
      offAt = nextOff(observed);
      episode++;
      sequence = 0;
      return off;
    }
    long observedAt = Math.round(observed);
    lastSent =
        Math.max(
            lastSent, observedAt + Math.round(random.nextDouble() * rhythm.jitter().toNanos()));
    RobotAct act =
        new RobotAct.Observe(
            lastSent, observedAt, episode, sequence, sequence % rhythm.picturesEvery() == 0);
    sequence++;
    observed += periodNanos;
    return act;
  }

  /** Restarts are a Poisson process. */
  private long nextOff(double from) {
    if (rhythm.restartsPerMinute() == 0) {
      return Long.MAX_VALUE;
    }
    double minutes = -Math.log(1 - random.nextDouble()) / rhythm.restartsPerMinute();
    return Math.round(from + minutes * 60 * NANOS_PER_SECOND);
  }
}
