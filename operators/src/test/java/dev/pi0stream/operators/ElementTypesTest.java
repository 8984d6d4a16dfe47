package dev.pi0stream.operators;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.model.engine.ChunkInExecution;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.replay.LoggedStep;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.session.RobotSession;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.operators.telemetry.RobotEvent;
import dev.pi0stream.operators.telemetry.RobotProgress;
import dev.pi0stream.operators.telemetry.RobotWindow;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.types.PojoTestUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What travels between operators and what is kept in state has a stored form that Flink knows. */
class ElementTypesTest {
  private static final SourcePosition SOURCE = new SourcePosition("observations", 1, 2);

  @ParameterizedTest
  @ValueSource(
      classes = {
        SourceRecord.class,
        DecodedObservation.class,
        ResolvedObservation.class,
        RobotSession.class,
        Frame.class,
        Outcome.class,
        WireRecord.class,
        RobotEvent.class,
        RobotProgress.class,
        RobotWindow.class,
        LoggedStep.class
      })
  void elementsAreStoredWithoutKryo(Class<?> type) {
    PojoTestUtils.assertSerializedAsPojoWithoutKryo(type);
  }

  @Test
  void anObservationWithNothingOptionalSurvives() throws Exception {
    DecodedObservation observation =
        new DecodedObservation(
            SOURCE,
            "arm",
            "e1",
            3,
            Instant.EPOCH,
            null,
            null,
            true,
            new float[] {1, Float.NaN},
            Map.of("top", Frame.rgb(1, 1, new byte[] {1, 2, 3})),
            List.of("wrist"),
            List.of(),
            null,
            null);
    DecodedObservation copy = throughBytes(DecodedObservation.class, observation);
    assertThat(copy)
        .usingRecursiveComparison()
        .ignoringFields("state", "frames")
        .isEqualTo(observation);
    assertThat(copy.state()).containsExactly(1, Float.NaN);
    assertThat(copy.frames().get("top").data()).containsExactly(1, 2, 3);
  }

  @Test
  void whatARobotSaysOfItsChunkInExecutionSurvives() throws Exception {
    ResolvedObservation observation =
        new ResolvedObservation(
            SOURCE,
            "arm",
            "e1",
            3,
            Instant.EPOCH,
            null,
            "lift",
            new float[0],
            Map.of(),
            new ChunkInExecution(new float[] {1, 2}, 3, 4));
    assertThat(throughBytes(ResolvedObservation.class, observation))
        .usingRecursiveComparison()
        .isEqualTo(observation);
  }

  @Test
  void anOutcomeWithoutIdentitySurvives() throws Exception {
    Outcome outcome =
        new Outcome(SOURCE, Outcome.Kind.REJECTED, null, null, null, "why", null, Instant.EPOCH);
    assertThat(throughBytes(Outcome.class, outcome)).isEqualTo(outcome);
  }

  @Test
  void aRecordWithoutValueSurvives() throws Exception {
    SourceRecord record = new SourceRecord(SOURCE, 5, null);
    assertThat(throughBytes(SourceRecord.class, record)).isEqualTo(record);
  }

  private static <T> T throughBytes(Class<T> type, T value) throws Exception {
    TypeSerializer<T> serializer =
        TypeInformation.of(type).createSerializer(new SerializerConfigImpl());
    DataOutputSerializer out = new DataOutputSerializer(64);
    serializer.serialize(value, out);
    return serializer.deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));
  }
}
