package dev.pi0stream.operators.telemetry;

import dev.pi0stream.schemas.RobotHealth;
import dev.pi0stream.schemas.RobotTelemetry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A window of a robot as it is told, with what it means for the robot. */
final class RobotReport {
  private RobotReport() {}

  /**
   * The report of a window.
   *
   * @param start in milliseconds since the epoch
   * @param end first moment behind it
   * @param late records that came too late for their windows
   */
  static RobotTelemetry of(String robot, long start, long end, RobotWindow window, long late) {
    int[] ages = window.sortedAges();
    RobotHealth health = health(window, late);
    return RobotTelemetry.newBuilder()
        .setRobot(robot)
        .setWindowStart(Instant.ofEpochMilli(start))
        .setWindowEnd(Instant.ofEpochMilli(end))
        .setObservations(window.get(Count.OBSERVATIONS))
        .setChunks(window.get(Count.CHUNKS))
        .setSuperseded(window.get(Count.SUPERSEDED))
        .setExpired(window.get(Count.EXPIRED))
        .setRejected(window.get(Count.REJECTED))
        .setMissingSequences(window.get(Count.MISSING_SEQUENCES))
        .setStarvedTicks(window.get(Count.STARVED_TICKS))
        .setStaleChunks(window.get(Count.STALE_CHUNKS))
        .setChunksFromTheFuture(window.get(Count.CHUNKS_FROM_THE_FUTURE))
        .setLateRecords(late)
        .setAgeP50Micros(percentile(ages, 0.50))
        .setAgeP95Micros(percentile(ages, 0.95))
        .setAgeP99Micros(percentile(ages, 0.99))
        .setHealth(health)
        .setReason(reason(health, window, late))
        .build();
  }

  private static Long percentile(int[] ages, double share) {
    return ages.length == 0 ? null : (long) NearestRank.of(ages, share);
  }

  private static RobotHealth health(RobotWindow window, long late) {
    if (window.isEmpty()) {
      return RobotHealth.SILENT;
    }
    if (window.get(Count.STARVED_TICKS) > 0 || window.get(Count.CHUNKS) == 0) {
      return RobotHealth.STARVING;
    }
    return troubles(window, late).isEmpty() ? RobotHealth.HEALTHY : RobotHealth.DEGRADED;
  }

  private static String reason(RobotHealth health, RobotWindow window, long late) {
    if (health == RobotHealth.HEALTHY) {
      return null;
    }
    List<String> reasons = new ArrayList<>();
    if (health == RobotHealth.SILENT) {
      reasons.add("no observation came");
    } else if (window.get(Count.CHUNKS) == 0) {
      reasons.add("%d observations led to no chunk".formatted(window.get(Count.OBSERVATIONS)));
    }
    reasons.addAll(troubles(window, late));
    return String.join("; ", reasons);
  }

  /** What is wrong though there are chunks; superseded observations are the usual case. */
  private static List<String> troubles(RobotWindow window, long late) {
    List<String> found = new ArrayList<>();
    add(found, window.get(Count.STARVED_TICKS), "control ticks had no action");
    add(found, window.get(Count.REJECTED), "observations were rejected");
    add(found, window.get(Count.EXPIRED), "observations expired");
    add(found, window.get(Count.MISSING_SEQUENCES), "observations never came");
    add(found, window.get(Count.STALE_CHUNKS), "chunks were over when they were computed");
    add(
        found,
        window.get(Count.CHUNKS_FROM_THE_FUTURE),
        "chunks were computed before they were observed, by the robot's clock");
    add(found, late, "records came too late for their windows");
    return found;
  }

  private static void add(List<String> found, long count, String what) {
    if (count > 0) {
      found.add(count + " " + what);
    }
  }
}
