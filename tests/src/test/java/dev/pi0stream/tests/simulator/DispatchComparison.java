package dev.pi0stream.tests.simulator;

import dev.pi0stream.model.engine.DispatchRule;
import dev.pi0stream.model.engine.EngineSettings;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.model.engine.PolicyEngine;
import dev.pi0stream.model.engine.PolicyOutcome;
import dev.pi0stream.model.engine.PolicyRequest;
import dev.pi0stream.model.engine.Surroundings;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What robots experience under a {@link DispatchRule}: the project's engine, a device with a
 * published latency curve, and robots that play their chunks. All on virtual time.
 */
final class DispatchComparison {
  private static final int MAX_BATCH = 16;
  private static final Duration WARM = Duration.ofSeconds(3);
  private static final Duration MEASURED = Duration.ofSeconds(30);
  private static final Duration TICK = Duration.ofMillis(20);

  static final Curve ACCELERATOR = new Curve("accelerator", DeviceCosts.ACCELERATOR);
  static final Curve PROCESSOR = new Curve("processor", DeviceCosts.PROCESSOR);

  /** A device by what its batches take. */
  record Curve(String name, DeviceCosts costs) {}

  /**
   * Robots.
   *
   * @param device that they share
   * @param robots how many
   * @param picturesEvery so many observations bring new pictures, the others only a new state
   * @param deadlines whether robots say when a chunk is of no use any more
   */
  record Workload(Curve device, int robots, int picturesEvery, boolean deadlines) {
    @Override
    public String toString() {
      return "%s, %d robots, pictures every %d, %s"
          .formatted(
              device.name(), robots, picturesEvery, deadlines ? "deadlines" : "no deadlines");
    }
  }

  /**
   * What robots experienced.
   *
   * @param starved share of the control ticks without a fresh action
   * @param worst that share for the robot that starved most
   * @param ageP50 of the observation when its chunk arrives, in ms
   */
  record Experience(
      double starved,
      double worst,
      double ageP50,
      double ageP99,
      double chunksPerSecond,
      double batch) {}

  private final VirtualTime time;
  private final SplittableRandom random;
  private final PolicyEngine engine;
  private final Workload workload;
  private final List<Double> ages = new ArrayList<>();
  private Instant begin;
  private double batches;

  private DispatchComparison(DispatchRule rule, Workload workload, long seed) {
    this.workload = workload;
    random = new SplittableRandom(seed);
    time = new VirtualTime(random);
    SimulatedDevice device = new SimulatedDevice(time, random, workload.device().costs());
    engine =
        new PolicyEngine(
            device,
            new IdentityNoise(0),
            new Surroundings(time, time, device, task -> time.within(100, 1_000, task)),
            new EngineSettings(MAX_BATCH, device.overhear(rule), Duration.ofSeconds(30)),
            workload.device().costs().rehearsed(MAX_BATCH, 3));
  }

  /** Runs a workload under a rule. */
  static Experience run(DispatchRule rule, Workload workload, long seed) {
    return new DispatchComparison(rule, workload, seed).run();
  }

  private Experience run() {
    begin = time.instant().plus(WARM);
    List<Robot> robots = new ArrayList<>();
    for (int i = 0; i < workload.robots(); i++) {
      Robot robot = new Robot(i);
      robots.add(robot);
      time.within(0, 500_000, robot::observe);
      time.within(0, 20_000, robot::tick);
    }
    time.runUntil(begin.plus(MEASURED));
    double[] sorted = ages.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return new Experience(
        robots.stream().mapToDouble(Robot::starvedShare).average().orElseThrow(),
        robots.stream().mapToDouble(Robot::starvedShare).max().orElseThrow(),
        sorted[sorted.length / 2],
        sorted[(int) (sorted.length * 0.99)],
        ages.size() / (double) MEASURED.toSeconds(),
        ages.size() / batches);
  }

  private boolean isMeasured() {
    return !time.instant().isBefore(begin);
  }

  /** Sends an observation from time to time and plays what comes back. */
  private final class Robot {
    private final String name;
    private final Duration chunk;
    private final long periodMicros;
    private long sequence;
    private int pictures;
    private Instant freshUntil = Instant.MIN;
    private long ticks;
    private long starved;

    Robot(int index) {
      name = "robot-" + index;
      // Fast, usual and slow robots: how long a chunk lasts.
      chunk = Duration.ofMillis(List.of(600, 1000, 2000).get(index % 3));
      periodMicros = chunk.toMillis() * 1000 / 3;
      pictures = 1_000 * index;
    }

    double starvedShare() {
      return (double) starved / ticks;
    }

    void tick() {
      if (isMeasured()) {
        ticks++;
        if (!time.instant().isBefore(freshUntil)) {
          starved++;
        }
      }
      time.after(TICK, this::tick);
    }

    void observe() {
      Instant observedAt = time.instant();
      if (sequence % workload.picturesEvery() == 0) {
        pictures += 3;
      }
      Instant end = observedAt.plus(chunk);
      PolicyRequest request =
          new PolicyRequest(
              new ObservationId(name, "episode", sequence++),
              new Observation(
                  Map.of("a", frame(pictures), "b", frame(pictures + 1), "c", frame(pictures + 2)),
                  new float[] {1, random.nextInt(100)},
                  "task"),
              workload.deadlines() ? end : null,
              null);
      var _ =
          engine
              .submit(request)
              .whenComplete(
                  (outcome, _) -> {
                    if (outcome instanceof PolicyOutcome.Chunk served) {
                      play(observedAt, end, served);
                    }
                  });
      time.within(periodMicros * 9 / 10, periodMicros * 11 / 10, this::observe);
    }

    private void play(Instant observedAt, Instant end, PolicyOutcome.Chunk served) {
      if (end.isAfter(freshUntil)) {
        freshUntil = end;
      }
      if (isMeasured()) {
        ages.add(Duration.between(observedAt, time.instant()).toNanos() / 1e6);
        batches += 1.0 / served.timing().batchSize();
      }
    }

    private static Frame frame(int number) {
      byte[] pixels = new byte[12];
      Arrays.fill(pixels, (byte) number);
      pixels[0] = (byte) (number >> 8);
      pixels[1] = (byte) (number >> 16);
      return Frame.rgb(2, 2, pixels);
    }
  }

  /** A line of a table for people. */
  static String line(Workload workload, DispatchRule rule, List<Experience> runs) {
    return "| %-50s | %-16s | %6.2f %% | %6.2f %% | %6.0f | %6.0f | %6.1f | %5.1f |"
        .formatted(
            workload,
            rule.getClass().getSimpleName(),
            100 * mean(runs.stream().map(Experience::starved).toList()),
            100 * mean(runs.stream().map(Experience::worst).toList()),
            mean(runs.stream().map(Experience::ageP50).toList()),
            Collections.max(runs.stream().map(Experience::ageP99).toList()),
            mean(runs.stream().map(Experience::chunksPerSecond).toList()),
            mean(runs.stream().map(Experience::batch).toList()));
  }

  static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }
}
