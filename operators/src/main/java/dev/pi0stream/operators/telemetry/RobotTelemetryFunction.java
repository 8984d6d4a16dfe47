package dev.pi0stream.operators.telemetry;

import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.schemas.RobotTelemetry;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Sums up what each robot experiences in tumbling windows of event time, and reports a window when
 * event time has passed it. A robot that was there in one window and not in the next is reported
 * once more, as silent.
 *
 * <p>What comes after its window was reported is counted as late, and in no other number. Which
 * sequence a robot has reached and up to when it has actions is followed from window to window.
 */
public final class RobotTelemetryFunction
    extends KeyedProcessFunction<String, RobotEvent, WireRecord> {
  private static final long serialVersionUID = 1L;

  private final long windowMillis;
  private final long periodMicros;
  private final Duration timeToLive;

  private transient MapState<Long, RobotWindow> windows;
  private transient ValueState<RobotProgress> progress;
  private transient WireFormat<RobotTelemetry> format;
  private transient TelemetryMetrics metrics;

  /**
   * @param timeToLive how long a silent robot is remembered
   */
  public RobotTelemetryFunction(TelemetrySettings settings, Duration timeToLive) {
    windowMillis = settings.window().toMillis();
    periodMicros = TimeUnit.NANOSECONDS.toMicros(settings.controlPeriod().toNanos());
    this.timeToLive = timeToLive;
  }

  @Override
  public void open(OpenContext context) {
    windows =
        getRuntimeContext()
            .getMapState(
                new MapStateDescriptor<>(
                    "windows", Types.LONG, TypeInformation.of(RobotWindow.class)));
    ValueStateDescriptor<RobotProgress> following =
        new ValueStateDescriptor<>("progress", TypeInformation.of(RobotProgress.class));
    following.enableTimeToLive(StateTtlConfig.newBuilder(timeToLive).build());
    progress = getRuntimeContext().getState(following);
    format = WireFormat.telemetry();
    metrics = new TelemetryMetrics(getRuntimeContext().getMetricGroup());
  }

  @Override
  public void processElement(RobotEvent event, Context context, Collector<WireRecord> out)
      throws Exception {
    long start = Math.floorDiv(context.timestamp(), windowMillis) * windowMillis;
    boolean late = lastMoment(start) <= context.timerService().currentWatermark();
    RobotWindow window = late ? null : windows.get(start);
    if (!late && window == null) {
      context.timerService().registerEventTimeTimer(lastMoment(start));
    }
    RobotProgress known = progress.value();
    RobotAccount account =
        new RobotAccount(
            known == null ? RobotProgress.NONE : known,
            window == null ? RobotWindow.empty() : window,
            periodMicros);
    account.add(event);
    RobotProgress reached = account.progress();
    if (late) {
      reached = reached.withLate(reached.late() + 1);
    } else {
      windows.put(start, account.window());
    }
    if (!reached.equals(known)) {
      progress.update(reached);
    }
  }

  @Override
  public void onTimer(long timestamp, OnTimerContext context, Collector<WireRecord> out)
      throws Exception {
    List<Long> due = new ArrayList<>();
    for (long start : windows.keys()) {
      // Also what was opened when windows had another length.
      if (lastMoment(start) <= timestamp) {
        due.add(start);
      }
    }
    Collections.sort(due);
    for (long start : due) {
      report(start, windows.get(start), context, out);
      windows.remove(start);
    }
    if (due.isEmpty()) {
      report(timestamp + 1 - windowMillis, RobotWindow.empty(), context, out);
    } else {
      // The next window is reported even if nothing comes: that is what there is to report.
      context.timerService().registerEventTimeTimer(timestamp + windowMillis);
    }
  }

  private void report(
      long start, RobotWindow window, OnTimerContext context, Collector<WireRecord> out)
      throws Exception {
    RobotProgress known = progress.value();
    long late = known == null ? 0 : known.late();
    String robot = context.getCurrentKey();
    RobotTelemetry report = RobotReport.of(robot, start, start + windowMillis, window, late);
    out.collect(new WireRecord(robot.getBytes(StandardCharsets.UTF_8), format.encode(report)));
    metrics.reported(report);
    if (late > 0) {
      progress.update(known.withLate(0));
    }
  }

  private long lastMoment(long start) {
    return start + windowMillis - 1;
  }
}
