package dev.pi0stream.operators.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.util.clock.ManualClock;
import org.junit.jupiter.api.Test;

class RobotEventTimeTest {
  private static final RobotEvent EVENT =
      new RobotEvent("arm", RobotEvent.Kind.OBSERVED, "e1", 0, 0, 0, 0);

  private final ManualClock clock = new ManualClock();
  private final Marks marks = new Marks();
  private final RobotEventTime time = new RobotEventTime(Duration.ofSeconds(5), clock);

  @Test
  void aTaskThatNeverHeardOfARobotIsIdle() {
    time.onPeriodicEmit(marks);
    assertThat(marks.idle).isEqualTo(1);
    assertThat(marks.watermarks).isEmpty();
  }

  @Test
  void timeIsSomePatienceBehindTheNewestEvent() {
    time.onEvent(EVENT, 20_000, marks);
    time.onEvent(EVENT, 19_000, marks);
    time.onPeriodicEmit(marks);
    assertThat(marks.watermarks).containsExactly(14_999L);
  }

  @Test
  void inSilenceTimeGoesOnByTheClock() {
    time.onEvent(EVENT, 20_000, marks);
    clock.advanceTime(Duration.ofMillis(900));
    time.onPeriodicEmit(marks);
    clock.advanceTime(Duration.ofSeconds(10));
    time.onPeriodicEmit(marks);
    assertThat(marks.watermarks).containsExactly(14_999L, 24_899L);
  }

  private static final class Marks implements WatermarkOutput {
    private final List<Long> watermarks = new ArrayList<>();
    private int idle;

    @Override
    public void emitWatermark(Watermark watermark) {
      watermarks.add(watermark.getTimestamp());
    }

    @Override
    public void markIdle() {
      idle++;
    }

    @Override
    public void markActive() {
      throw new AssertionError("not asked for");
    }
  }
}
