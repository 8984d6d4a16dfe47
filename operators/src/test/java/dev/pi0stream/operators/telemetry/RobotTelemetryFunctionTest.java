package dev.pi0stream.operators.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.telemetry.RobotEvent.Kind;
import dev.pi0stream.schemas.RobotHealth;
import dev.pi0stream.schemas.RobotTelemetry;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RobotTelemetryFunctionTest {
  private static final long WINDOW = 10_000;
  private static final int HORIZON = 10;

  /** Ten ticks a second: a chunk of ten steps lasts a second. */
  private static final TelemetrySettings SETTINGS =
      new TelemetrySettings(
          Duration.ofMillis(WINDOW), Duration.ofSeconds(5), Duration.ofMillis(100));

  private KeyedOneInputStreamOperatorTestHarness<String, RobotEvent, WireRecord> job;

  @BeforeEach
  void open() throws Exception {
    job = harness();
    job.open();
  }

  @AfterEach
  void close() throws Exception {
    job.close();
  }

  @Test
  void aWindowIsReportedOnceWhenEventTimeHasPassedIt() throws Exception {
    observed("arm", 0, 1000);
    chunk("arm", 0, 1000, 1030);
    observed("arm", 1, 1500);
    ended("arm", Kind.SUPERSEDED, 1, 1500);
    observed("arm", 2, 1600);
    chunk("arm", 2, 1600, 1650);
    job.processWatermark(WINDOW - 2);
    assertThat(reports()).isEmpty();
    job.processWatermark(WINDOW - 1);
    RobotTelemetry report = only();
    assertThat(report.getRobot()).isEqualTo("arm");
    assertThat(report.getWindowStart()).isEqualTo(Instant.EPOCH);
    assertThat(report.getWindowEnd()).isEqualTo(Instant.ofEpochMilli(WINDOW));
    assertThat(report.getObservations()).isEqualTo(3);
    assertThat(report.getChunks()).isEqualTo(2);
    assertThat(report.getSuperseded()).isEqualTo(1);
    assertThat(report.getAgeP50Micros()).isEqualTo(30_000);
    assertThat(report.getAgeP99Micros()).isEqualTo(50_000);
    assertThat(report.getHealth()).isEqualTo(RobotHealth.HEALTHY);
    assertThat(report.getReason()).isNull();
  }

  @Test
  void robotsAreReportedApart() throws Exception {
    observed("arm", 0, 1000);
    chunk("arm", 0, 1000, 1030);
    observed("leg", 0, 1000);
    job.processWatermark(WINDOW - 1);
    assertThat(reports())
        .extracting(RobotTelemetry::getRobot, RobotTelemetry::getHealth)
        .containsExactlyInAnyOrder(
            org.assertj.core.groups.Tuple.tuple("arm", RobotHealth.HEALTHY),
            org.assertj.core.groups.Tuple.tuple("leg", RobotHealth.STARVING));
  }

  @Test
  void ticksBetweenTheLastStepAndTheNextChunkAreStarved() throws Exception {
    observed("arm", 0, 1000);
    chunk("arm", 0, 1000, 1030);
    // The steps of the first chunk end at 2000; this one comes 5 ticks later.
    observed("arm", 1, 2400);
    chunk("arm", 1, 2400, 2550);
    job.processWatermark(WINDOW - 1);
    RobotTelemetry report = only();
    assertThat(report.getStarvedTicks()).isEqualTo(5);
    assertThat(report.getHealth()).isEqualTo(RobotHealth.STARVING);
    assertThat(report.getReason()).isEqualTo("5 control ticks had no action");
  }

  @Test
  void whatStarvesFromWindowToWindowIsCountedOnce() throws Exception {
    chunk("arm", 0, 9000, 9000);
    chunk("arm", 1, 12_000, 12_000);
    chunk("arm", 2, 12_500, 12_600);
    job.processWatermark(2 * WINDOW - 1);
    assertThat(reports()).extracting(RobotTelemetry::getStarvedTicks).containsExactly(0L, 20L);
  }

  @Test
  void anotherEpisodeStarvesNobody() throws Exception {
    event(chunkOf("arm", "e1", 0, 1000, 1030), 1000);
    event(chunkOf("arm", "e2", 0, 8000, 8030), 8000);
    job.processWatermark(WINDOW - 1);
    assertThat(only().getStarvedTicks()).isZero();
  }

  @Test
  void aChunkThatWasOverWhenItCameIsStale() throws Exception {
    chunk("arm", 0, 1000, 2000);
    job.processWatermark(WINDOW - 1);
    RobotTelemetry report = only();
    assertThat(report.getStaleChunks()).isEqualTo(1);
    assertThat(report.getHealth()).isEqualTo(RobotHealth.DEGRADED);
  }

  @Test
  void aRobotWhoseClockIsAheadHasNoAges() throws Exception {
    chunk("arm", 0, 1000, 900);
    job.processWatermark(WINDOW - 1);
    RobotTelemetry report = only();
    assertThat(report.getChunksFromTheFuture()).isEqualTo(1);
    assertThat(report.getAgeP50Micros()).isNull();
    assertThat(report.getReason()).contains("before they were observed");
  }

  @Test
  void sequencesThatNeverCameAreCounted() throws Exception {
    observed("arm", 3, 1000);
    observed("arm", 7, 1100);
    observed("arm", 5, 1200);
    observed("arm", 8, 1300);
    observed("arm", 8, 1400);
    chunk("arm", 8, 1300, 1310);
    job.processWatermark(WINDOW - 1);
    assertThat(only().getMissingSequences()).isEqualTo(3);
  }

  @Test
  void anotherEpisodeCountsAnewAndStragglersOfTheOldOneChangeNothing() throws Exception {
    event(new RobotEvent("arm", Kind.OBSERVED, "e1", 5, 0, 0, 0), 1000);
    event(new RobotEvent("arm", Kind.OBSERVED, "e2", 0, 0, 0, 0), 1100);
    event(new RobotEvent("arm", Kind.OBSERVED, "e1", 9, 0, 0, 0), 1200);
    event(new RobotEvent("arm", Kind.OBSERVED, "e2", 1, 0, 0, 0), 1300);
    job.processWatermark(WINDOW - 1);
    RobotTelemetry report = only();
    assertThat(report.getMissingSequences()).isZero();
    assertThat(report.getObservations()).isEqualTo(4);
  }

  @Test
  void whatComesAfterItsWindowWasReportedIsCountedAsLateInTheNext() throws Exception {
    observed("arm", 0, 1000);
    job.processWatermark(WINDOW - 1);
    chunk("arm", 0, 1000, 11_000);
    observed("arm", 1, 12_000);
    chunk("arm", 1, 12_000, 12_050);
    job.processWatermark(2 * WINDOW - 1);
    List<RobotTelemetry> reports = reports();
    assertThat(reports).extracting(RobotTelemetry::getLateRecords).containsExactly(0L, 1L);
    assertThat(reports).extracting(RobotTelemetry::getChunks).containsExactly(0L, 1L);
    assertThat(reports.getFirst().getReason()).isEqualTo("1 observations led to no chunk");
  }

  @Test
  void aRobotThatFallsSilentIsReportedOnceMore() throws Exception {
    observed("arm", 0, 1000);
    chunk("arm", 0, 1000, 1030);
    job.processWatermark(10 * WINDOW);
    assertThat(reports())
        .extracting(RobotTelemetry::getHealth)
        .containsExactly(RobotHealth.HEALTHY, RobotHealth.SILENT);
    observed("arm", 1, 10 * WINDOW + 1000);
    chunk("arm", 1, 10 * WINDOW + 1000, 10 * WINDOW + 1010);
    job.processWatermark(11 * WINDOW);
    assertThat(reports()).hasSize(3);
  }

  @Test
  void anyClockAndAnySequenceAreCountedWithoutAFault() throws Exception {
    for (long clock : new long[] {Long.MIN_VALUE, -1, Long.MAX_VALUE}) {
      Instant odd = Instant.ofEpochSecond(clock / 1_000_000, clock % 1_000_000 * 1000);
      event(
          RobotEvent.ended(
              new dev.pi0stream.operators.outcome.Outcome(
                  null,
                  dev.pi0stream.operators.outcome.Outcome.Kind.EXPIRED,
                  "arm",
                  "e1",
                  Long.MAX_VALUE,
                  "late",
                  null,
                  odd)),
          1000);
      event(
          new RobotEvent("arm", Kind.CHUNK, "e1", 0, 1_700_000_000_000_000L, clock / 2, HORIZON),
          1000);
    }
    event(new RobotEvent("arm", Kind.OBSERVED, "e1", 0, 0, 0, 0), 1000);
    event(new RobotEvent("arm", Kind.OBSERVED, "e1", Long.MAX_VALUE, 0, 0, 0), 1000);
    job.processWatermark(WINDOW - 1);
    assertThat(only().getMissingSequences()).isEqualTo(Long.MAX_VALUE - 1);
  }

  @Test
  void whatWasCountedSurvivesARestart() throws Exception {
    observed("arm", 0, 1000);
    chunk("arm", 0, 1000, 1030);
    OperatorSubtaskState state = job.snapshot(1, 1);
    job.close();
    job = harness();
    job.initializeState(state);
    job.open();
    observed("arm", 2, 2400);
    chunk("arm", 2, 2400, 2550);
    job.processWatermark(WINDOW - 1);
    RobotTelemetry report = only();
    assertThat(report.getChunks()).isEqualTo(2);
    assertThat(report.getMissingSequences()).isEqualTo(1);
    assertThat(report.getStarvedTicks()).isEqualTo(5);
    assertThat(report.getAgeP50Micros()).isEqualTo(30_000);
  }

  private void observed(String robot, long sequence, long millis) throws Exception {
    event(new RobotEvent(robot, Kind.OBSERVED, "e1", sequence, 0, 0, 0), millis);
  }

  private void chunk(String robot, long sequence, long observed, long at) throws Exception {
    event(chunkOf(robot, "e1", sequence, observed, at), observed);
  }

  private static RobotEvent chunkOf(
      String robot, String episode, long sequence, long observed, long at) {
    return new RobotEvent(
        robot, Kind.CHUNK, episode, sequence, at * 1000, observed * 1000, HORIZON);
  }

  private void ended(String robot, Kind kind, long sequence, long millis) throws Exception {
    event(new RobotEvent(robot, kind, "e1", sequence, millis * 1000, 0, 0), millis);
  }

  private void event(RobotEvent event, long millis) throws Exception {
    job.processElement(event, millis);
  }

  private RobotTelemetry only() throws WireException {
    return assertThat(reports()).singleElement().actual();
  }

  private List<RobotTelemetry> reports() throws WireException {
    List<RobotTelemetry> reports = new ArrayList<>();
    for (WireRecord record : job.extractOutputValues()) {
      RobotTelemetry report = WireFormat.telemetry().decode(record.value());
      assertThat(record.key()).isEqualTo(report.getRobot().getBytes(StandardCharsets.UTF_8));
      reports.add(report);
    }
    return reports;
  }

  private static KeyedOneInputStreamOperatorTestHarness<String, RobotEvent, WireRecord> harness()
      throws Exception {
    return new KeyedOneInputStreamOperatorTestHarness<>(
        new KeyedProcessOperator<>(new RobotTelemetryFunction(SETTINGS, Duration.ofHours(1))),
        RobotEvent::robot,
        Types.STRING);
  }
}
