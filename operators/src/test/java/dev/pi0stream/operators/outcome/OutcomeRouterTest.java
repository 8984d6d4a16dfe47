package dev.pi0stream.operators.outcome;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.apache.flink.streaming.api.operators.ProcessOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OutcomeRouterTest {
  private static final SourcePosition SOURCE = new SourcePosition("observations", 1, 99);
  private static final Instant NOW = Instant.EPOCH.plusMillis(123);

  private OneInputStreamOperatorTestHarness<Outcome, WireRecord> harness;

  @BeforeEach
  void open() throws Exception {
    harness = new OneInputStreamOperatorTestHarness<>(new ProcessOperator<>(new OutcomeRouter()));
    harness.open();
  }

  @AfterEach
  void close() throws Exception {
    harness.close();
  }

  @Test
  void aChunkGoesToTheChunksAlone() throws Exception {
    Outcome.Actions actions =
        new Outcome.Actions(
            Instant.EPOCH,
            2,
            2,
            new float[] {1, 2, 3, 4},
            "digest",
            "cpu/fp32",
            5,
            1,
            2,
            3,
            4,
            2,
            true,
            3);
    send(new Outcome(SOURCE, Outcome.Kind.CHUNK, "ärm", "e1", 7L, null, actions, NOW));
    assertThat(harness.getSideOutput(OutcomeRouter.OUTCOMES)).isNull();
    WireRecord record = harness.extractOutputValues().getFirst();
    assertThat(record.key()).isEqualTo("ärm".getBytes(StandardCharsets.UTF_8));
    ActionChunk written = WireFormat.chunks().decode(record.value());
    assertStartedNow(written.getGeneration());
    assertThat(written)
        .isEqualTo(
            new ActionChunk(
                "ärm",
                "e1",
                7L,
                Instant.EPOCH,
                2,
                2,
                List.of(1f, 2f, 3f, 4f),
                "digest",
                "cpu/fp32",
                5,
                1L,
                2L,
                3L,
                4L,
                "observations",
                1,
                99L,
                2,
                true,
                3,
                written.getGeneration()));
  }

  @ParameterizedTest
  @EnumSource(OutcomeKind.class)
  void allOthersGoToTheOutcomesAlone(OutcomeKind kind) throws Exception {
    send(new Outcome(SOURCE, Outcome.Kind.valueOf(kind.name()), "arm", "e1", 7L, "why", null, NOW));
    assertThat(harness.extractOutputValues()).isEmpty();
    WireRecord record = outcomes().getFirst();
    assertThat(record.key()).isEqualTo("arm".getBytes(StandardCharsets.UTF_8));
    ObservationOutcome written = WireFormat.outcomes().decode(record.value());
    assertStartedNow(written.getGeneration());
    assertThat(written)
        .isEqualTo(
            new ObservationOutcome(
                kind,
                "why",
                "arm",
                "e1",
                7L,
                NOW,
                "observations",
                1,
                99L,
                written.getGeneration()));
  }

  @Test
  void anOutcomeOfAnUnreadableRecordHasNoKey() throws Exception {
    send(new Outcome(SOURCE, Outcome.Kind.REJECTED, null, null, null, "why", null, NOW));
    WireRecord record = outcomes().getFirst();
    assertThat(record.key()).isNull();
    assertThat(WireFormat.outcomes().decode(record.value()).getRobot()).isNull();
  }

  private static void assertStartedNow(long generation) {
    assertThat(Instant.EPOCH.plus(generation, ChronoUnit.MICROS))
        .isCloseTo(Instant.now(), within(1, ChronoUnit.MINUTES));
  }

  private void send(Outcome outcome) throws Exception {
    harness.processElement(new StreamRecord<>(outcome));
  }

  private List<WireRecord> outcomes() {
    return harness.getSideOutput(OutcomeRouter.OUTCOMES).stream()
        .map(StreamRecord::getValue)
        .toList();
  }
}
