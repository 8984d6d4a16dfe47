package dev.pi0stream.operators.telemetry;

import dev.pi0stream.schemas.RobotHealth;
import dev.pi0stream.schemas.RobotTelemetry;
import java.util.EnumMap;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/**
 * What the robots of this task experience, added up over reported windows: {@code
 * pi0.starvedTicks}, {@code pi0.missingSequences}, {@code pi0.staleChunks}, {@code
 * pi0.chunksFromTheFuture}, {@code pi0.lateRecords}; and how many robots were how healthy in the
 * newest one, {@code pi0.health.HEALTH.robots}.
 */
final class TelemetryMetrics {
  private final Counter starvedTicks;
  private final Counter missingSequences;
  private final Counter staleChunks;
  private final Counter chunksFromTheFuture;
  private final Counter lateRecords;
  private final Map<RobotHealth, Integer> robots = new EnumMap<>(RobotHealth.class);
  private long newestWindow = Long.MIN_VALUE;

  TelemetryMetrics(MetricGroup operator) {
    MetricGroup group = operator.addGroup("pi0");
    starvedTicks = group.counter("starvedTicks");
    missingSequences = group.counter("missingSequences");
    staleChunks = group.counter("staleChunks");
    chunksFromTheFuture = group.counter("chunksFromTheFuture");
    lateRecords = group.counter("lateRecords");
    for (RobotHealth health : RobotHealth.values()) {
      group
          .addGroup("health", health.name())
          .gauge("robots", (Gauge<Integer>) () -> robots(health));
    }
  }

  /** A report is written. */
  void reported(RobotTelemetry report) {
    starvedTicks.inc(report.getStarvedTicks());
    missingSequences.inc(report.getMissingSequences());
    staleChunks.inc(report.getStaleChunks());
    chunksFromTheFuture.inc(report.getChunksFromTheFuture());
    lateRecords.inc(report.getLateRecords());
    long window = report.getWindowStart().toEpochMilli();
    synchronized (robots) {
      if (window > newestWindow) {
        newestWindow = window;
        robots.clear();
      }
      if (window == newestWindow) {
        robots.merge(report.getHealth(), 1, Integer::sum);
      }
    }
  }

  private int robots(RobotHealth health) {
    synchronized (robots) {
      return robots.getOrDefault(health, 0);
    }
  }
}
