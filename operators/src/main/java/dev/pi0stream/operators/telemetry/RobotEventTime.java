package dev.pi0stream.operators.telemetry;

import java.time.Duration;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.util.clock.RelativeClock;

/**
 * The progress of event time behind the policy: some patience behind the newest event. When no
 * event comes for a while time goes on by the clock, so that the last window of a fleet that falls
 * silent is reported, too; a task that never heard of a robot holds nobody back.
 *
 * <p>It is made behind the policy and not at the source: among unordered answers a watermark is a
 * wall that no later chunk may pass, so that one slow observation would hold up all robots.
 */
final class RobotEventTime implements WatermarkGenerator<RobotEvent> {
  /** After this silence time goes on by itself. */
  private static final long SILENCE_MILLIS = 1000;

  private final long patienceMillis;
  private final RelativeClock clock;
  private long newest = Long.MIN_VALUE;
  private long heardAt;

  /**
   * @param clock that stands still while this task is held up by those behind it
   */
  RobotEventTime(Duration patience, RelativeClock clock) {
    patienceMillis = patience.toMillis();
    this.clock = clock;
  }

  /** The strategy; keeps the timestamps that events have. */
  static WatermarkStrategy<RobotEvent> strategy(Duration patience) {
    return context -> new RobotEventTime(patience, context.getInputActivityClock());
  }

  @Override
  public void onEvent(RobotEvent event, long timestamp, WatermarkOutput output) {
    newest = Math.max(newest, timestamp);
    heardAt = clock.relativeTimeMillis();
  }

  @Override
  public void onPeriodicEmit(WatermarkOutput output) {
    if (newest == Long.MIN_VALUE) {
      output.markIdle();
      return;
    }
    long silence = Math.max(0, clock.relativeTimeMillis() - heardAt - SILENCE_MILLIS);
    output.emitWatermark(new Watermark(newest + silence - patienceMillis - 1));
  }
}
