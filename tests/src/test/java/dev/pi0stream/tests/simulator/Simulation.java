package dev.pi0stream.tests.simulator;

import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.audit.Recomputation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One run of robots, broker, job and device, all of it a function of a seed: some seconds with
 * failures of every kind, then calm, in which the job has to find back by itself. In the end the
 * topics are audited, with all chunks computed again.
 */
final class Simulation {
  private static final Duration FAULTS = Duration.ofSeconds(4);
  private static final Duration CALM = Duration.ofSeconds(30);
  private static final Duration LAST = Duration.ofSeconds(20);

  /**
   * How a run ended.
   *
   * @param report of the audit
   * @param served robots that had a chunk for what they sent after all faults
   * @param robots there were
   */
  record Result(AuditReport report, int served, int robots, int restarts, long checkpoints) {
    boolean isWell() {
      return report.isClean() && served == robots;
    }

    /** What is wrong, for people. */
    String describe() {
      return "%d of %d robots were served after all faults; %s %s"
          .formatted(served, robots, report.findings(), report.examples());
    }
  }

  private Simulation() {}

  /** Runs a seed. */
  static Result run(long seed, Mutant mutant) {
    SplittableRandom random = new SplittableRandom(seed);
    VirtualTime time = new VirtualTime(random);
    SimulatedBroker broker = new SimulatedBroker(time);
    SimulatedJob job = new SimulatedJob(time, random, broker, mutant);
    Instant start = time.instant();
    List<SimulatedRobot> robots = new ArrayList<>();
    int count = random.nextInt(1, 7);
    for (int i = 0; i < count; i++) {
      SimulatedRobot robot = new SimulatedRobot("robot-" + i, time, random, broker, job);
      robots.add(robot);
      time.within(0, 200_000, () -> robot.live(random.nextInt(5, 50)));
    }
    for (int kills = random.nextInt(4); kills > 0; kills--) {
      within(time, random, job::kill);
    }
    for (int faults = random.nextInt(3); faults > 0; faults--) {
      within(time, random, job::failDevice);
    }
    if (random.nextInt(3) == 0) {
      within(time, random, job::hangDevice);
    }
    for (int stalls = random.nextInt(3); stalls > 0; stalls--) {
      within(
          time, random, () -> broker.stall(time.instant().plusMillis(random.nextLong(10, 1500))));
    }
    checkpoints(time, random, job, start.plus(FAULTS), start.plus(FAULTS).plus(CALM));
    time.runUntil(start.plus(FAULTS).plus(CALM));
    robots.forEach(SimulatedRobot::sendLast);
    time.runUntil(time.instant().plus(LAST));
    Recomputation recomputation = Recomputation.of(new SimulatedPolicy(), Integer.MAX_VALUE);
    return new Result(
        broker.audit(recomputation),
        broker.served("last"),
        count,
        job.restarts(),
        job.checkpoints());
  }

  private static void within(VirtualTime time, SplittableRandom random, Runnable fault) {
    time.after(Duration.ofMillis(random.nextLong(FAULTS.toMillis())), fault);
  }

  /** Often while there are faults, so that they fall into checkpoints; now and then afterwards. */
  private static void checkpoints(
      VirtualTime time, SplittableRandom random, SimulatedJob job, Instant calm, Instant end) {
    Instant now = time.instant();
    if (now.isBefore(end)) {
      long slower = now.isBefore(calm) ? 1 : 20;
      time.within(
          50_000 * slower,
          600_000 * slower,
          () -> {
            job.checkpoint();
            checkpoints(time, random, job, calm, end);
          });
    }
  }
}
