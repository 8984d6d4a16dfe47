package dev.pi0stream.job.fleet;

import dev.pi0stream.job.run.Latencies;
import dev.pi0stream.job.run.ObservationSink;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** One robot of a fleet: what it will do, what it sends, and what it experiences. */
final class FleetRobot {
  private static final String GENERATOR = "L64X128MixRandom";

  private final RobotPlan plan;
  private final RobotMessages messages;
  private final RobotExperience experience;
  private final RandomGenerator downlink;
  private final long jitterNanos;
  private final Map<String, Long> observedAt = new HashMap<>();
  private String episode = "";
  private long lastArrival;

  /**
   * A robot.
   *
   * @param number in its fleet; all that is its own follows from it and the fleet's seed
   * @param ages takes the ages of chunks
   */
  FleetRobot(String name, int number, FleetSettings settings, Latencies ages) {
    RandomGenerator own =
        RandomGeneratorFactory.of(GENERATOR).create(settings.seed() * 1_000_003 + number);
    FleetSettings.Rhythm rhythm = settings.rhythm(number);
    plan = new RobotPlan(rhythm, random(own));
    downlink = random(own);
    messages = new RobotMessages(name, settings.session(), settings.body(), rhythm, own.nextLong());
    experience =
        new RobotExperience(
            rhythm.controlPeriod().toNanos(), settings.staleAfter().toNanos(), ages);
    jitterNanos = rhythm.jitter().toNanos();
  }

  private static RandomGenerator random(RandomGenerator seeds) {
    return RandomGeneratorFactory.of(GENERATOR).create(seeds.nextLong());
  }

  String name() {
    return messages.robot();
  }

  RobotExperience experience() {
    return experience;
  }

  /** What it does next. */
  RobotAct next() {
    return plan.next();
  }

  /**
   * Does something.
   *
   * @param start of the fleet
   */
  void act(RobotAct act, Instant start, ObservationSink sink) {
    switch (act) {
      case RobotAct.Observe observe -> {
        episode = messages.episode(observe.episode());
        observedAt.put(place(episode, observe.sequence()), observe.observedAt());
        experience.sent(episode, observe.sequence());
        sink.send(messages.message(observe, start.plusNanos(observe.observedAt())));
      }
      case RobotAct.PowerOff off -> experience.poweredOff(off.at());
    }
  }

  /** When something that was read at a moment reaches it; the network keeps their order. */
  long reaches(long readAt) {
    long delay = Math.round(downlink.nextDouble() * jitterNanos);
    lastArrival = Math.max(lastArrival, readAt + delay);
    return lastArrival;
  }

  /** A chunk reaches it. */
  void reached(ActionChunk chunk, long now) {
    Long observed = observedAt.remove(place(chunk.getEpisode(), chunk.getSequence()));
    experience.arrived(
        chunk.getEpisode(),
        chunk.getSequence(),
        chunk.getEpisode().equals(episode),
        observed == null ? now : observed,
        chunk.getHorizon(),
        now);
  }

  /** The end of an observation reaches it. */
  void reached(ObservationOutcome outcome) {
    observedAt.remove(place(outcome.getEpisode(), outcome.getSequence()));
    experience.ended(outcome.getEpisode(), outcome.getSequence(), outcome.getKind());
  }

  private static String place(String inEpisode, long sequence) {
    return inEpisode + '/' + sequence;
  }

  /** The time that robots keep. */
  static long nanosSince(Instant start) {
    return Duration.between(start, Instant.now()).toNanos();
  }
}
