package dev.pi0stream.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;

class WireFormatTest {
  private static final int HEADER_BYTES = 10;

  private final WireFormat<RobotObservation> observations = WireFormat.observations();

  @Test
  void anObservationComesBackAsItWas() throws Exception {
    RobotObservation observation = observation();
    assertThat(observations.decode(observations.encode(observation))).isEqualTo(observation);
  }

  @Test
  void aChunkComesBackAsItWas() throws Exception {
    ActionChunk chunk =
        new ActionChunk(
            "arm-7",
            "e1",
            12L,
            Instant.EPOCH.plusNanos(1_234_567_000L),
            2,
            3,
            List.of(1f, -0f, Float.MIN_VALUE, 4f, 5f, 6f),
            "abc",
            "reference/fp32",
            4,
            10L,
            20L,
            30L,
            40L,
            "observations",
            1,
            99L,
            2,
            true,
            3,
            1_700_000_000_123_456L);
    WireFormat<ActionChunk> chunks = WireFormat.chunks();
    assertThat(chunks.decode(chunks.encode(chunk))).isEqualTo(chunk);
  }

  @Test
  void anOutcomeWithoutIdentityComesBackAsItWas() throws Exception {
    ObservationOutcome outcome =
        new ObservationOutcome(
            OutcomeKind.REJECTED,
            "why",
            null,
            null,
            null,
            Instant.EPOCH,
            "observations",
            0,
            1L,
            1_700_000_000_123_456L);
    WireFormat<ObservationOutcome> outcomes = WireFormat.outcomes();
    assertThat(outcomes.decode(outcomes.encode(outcome))).isEqualTo(outcome);
  }

  @Test
  void theBytesAreThoseOfAvrosOwnSingleObjectEncoder() throws Exception {
    RobotObservation observation = observation();
    assertThat(observations.encode(observation))
        .isEqualTo(bytes(RobotObservation.getEncoder().encode(observation)));
  }

  @Test
  void anEmptyMessageIsRefused() {
    assertThatThrownBy(() -> observations.decode(new byte[0]))
        .isInstanceOf(WireException.class)
        .hasMessage("message has 0 bytes: expected at least the 10 of Avro's single-object header");
  }

  @Test
  void bytesThatAreNotSingleObjectEncodedAreRefused() {
    assertThatThrownBy(
            () -> observations.decode("{\"robot\": \"a\"}".getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(WireException.class)
        .hasMessage(
            "message begins with 7b 22: expected c3 01, the marker of Avro's single-object encoding");
  }

  @Test
  void anUnknownSchemaIsRefusedWithItsFingerprintAndTheKnownOnes() throws Exception {
    byte[] message = observations.encode(observation());
    Arrays.fill(message, 2, HEADER_BYTES, (byte) 0xAB);
    assertThatThrownBy(() -> observations.decode(message))
        .isInstanceOf(WireException.class)
        .hasMessage(
            "message was written with the schema of fingerprint abababababababab: expected a"
                + " RobotObservation, %s",
            Stream.of(first("RobotObservation"), RobotObservation.getClassSchema())
                .map(SchemaNormalization::parsingFingerprint64)
                .sorted()
                .map("%016x"::formatted)
                .collect(Collectors.joining(" or ")));
  }

  @Test
  void everyTruncationIsRefused() {
    byte[] message = observations.encode(observation());
    for (int length = 0; length < message.length; length++) {
      byte[] truncated = Arrays.copyOf(message, length);
      assertThatThrownBy(() -> observations.decode(truncated)).isInstanceOf(WireException.class);
    }
  }

  @Test
  void bytesBehindTheRecordAreRefused() {
    byte[] message = observations.encode(observation());
    assertThatThrownBy(() -> observations.decode(Arrays.copyOf(message, message.length + 3)))
        .isInstanceOf(WireException.class)
        .hasMessage(
            "message of %,d bytes has 3 behind its RobotObservation: expected none",
            message.length + 3);
  }

  @Test
  void messagesBeyondTheLimitAreRefusedUnread() {
    assertThatThrownBy(() -> observations.decode(new byte[WireFormat.MAX_MESSAGE_BYTES + 1]))
        .isInstanceOf(WireException.class)
        .hasMessage("message has 67,108,865 bytes: expected at most 67,108,864");
  }

  @Test
  void lengthsThatTheMessageCannotHoldTakeNoMemory() throws Exception {
    for (long claimed :
        new long[] {1 << 20, Integer.MAX_VALUE - 8, Integer.MAX_VALUE, 1L << 40, Long.MAX_VALUE}) {
      for (HostilePlace place : HostilePlace.values()) {
        byte[] message = hostile(place, claimed);
        long before = allocated();
        assertThatThrownBy(() -> observations.decode(message))
            .as("%s of %d", place, claimed)
            .isInstanceOf(WireException.class);
        assertThat(allocated() - before).as("%s of %d", place, claimed).isLessThan(1 << 20);
      }
    }
  }

  @Test
  void anEnumSymbolThatDoesNotExistIsRefused() throws Exception {
    ByteArrayOutputStream bytes = header();
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    beginning(encoder);
    encoder.writeInt(0);
    encoder.writeInt(1);
    encoder.writeString("top");
    encoder.writeEnum(17);
    encoder.writeInt(0);
    encoder.writeInt(0);
    encoder.writeBytes(new byte[0]);
    encoder.writeInt(0);
    assertThatThrownBy(() -> observations.decode(bytes.toByteArray()))
        .isInstanceOf(WireException.class)
        .hasMessageContaining("does not hold a RobotObservation");
  }

  @Test
  void randomBytesEndInWireExceptionsOnly() {
    Random random = new Random(11);
    for (int i = 0; i < 20_000; i++) {
      byte[] message = header().toByteArray();
      message = Arrays.copyOf(message, HEADER_BYTES + random.nextInt(200));
      for (int b = HEADER_BYTES; b < message.length; b++) {
        message[b] = (byte) random.nextInt();
      }
      decodeOrRefuse(message);
    }
  }

  @Test
  void mutatedMessagesEndInRecordsOrWireExceptionsOnly() {
    Random random = new Random(12);
    byte[] message = observations.encode(observation());
    int read = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] mutated = message.clone();
      for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
        mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
      }
      read += decodeOrRefuse(mutated) ? 1 : 0;
    }
    assertThat(read).as("mutants that are still messages").isBetween(100, 19_900);
  }

  @Test
  void whatAnOlderSchemaWroteIsResolvedToTheCurrentOne() throws Exception {
    Schema older =
        new Schema.Parser()
            .parse(
                """
                {"type": "record", "name": "ObservationOutcome",
                 "namespace": "dev.pi0stream.schemas", "fields": [
                  {"name": "kind", "type": {"type": "enum", "name": "OutcomeKind",
                   "symbols": ["REJECTED", "EXPIRED"]}},
                  {"name": "reason", "type": "string"},
                  {"name": "decidedAt", "type": {"type": "long", "logicalType": "timestamp-micros"}},
                  {"name": "sourceTopic", "type": "string"},
                  {"name": "sourcePartition", "type": "int"},
                  {"name": "sourceOffset", "type": "long"}]}
                """);
    GenericRecord written = new GenericData.Record(older);
    written.put("kind", new GenericData.EnumSymbol(older.getField("kind").schema(), "REJECTED"));
    written.put("reason", "why");
    written.put("decidedAt", 5L);
    written.put("sourceTopic", "observations");
    written.put("sourcePartition", 2);
    written.put("sourceOffset", 7L);
    ByteArrayOutputStream bytes = header(older);
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    new GenericDatumWriter<GenericRecord>(older).write(written, encoder);

    assertThatThrownBy(() -> WireFormat.outcomes().decode(bytes.toByteArray()))
        .isInstanceOf(WireException.class);
    WireFormat<ObservationOutcome> both =
        new WireFormat<>(ObservationOutcome.getClassSchema(), List.of(older));
    assertThat(both.decode(bytes.toByteArray()))
        .isEqualTo(
            new ObservationOutcome(
                OutcomeKind.REJECTED,
                "why",
                null,
                null,
                null,
                Instant.EPOCH.plusNanos(5_000),
                "observations",
                2,
                7L,
                0L));
  }

  @Test
  void everySchemaThatWasEverWrittenIsStillRead() throws Exception {
    for (String name : List.of("RobotObservation", "ActionChunk", "ObservationOutcome")) {
      Schema first = first(name);
      GenericRecord written = blank(first);
      ByteArrayOutputStream bytes = header(first);
      BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
      new GenericDatumWriter<GenericRecord>(first).write(written, encoder);
      WireFormat<?> format =
          switch (name) {
            case "RobotObservation" -> WireFormat.observations();
            case "ActionChunk" -> WireFormat.chunks();
            default -> WireFormat.outcomes();
          };
      GenericRecord read = (GenericRecord) format.decode(bytes.toByteArray());
      for (Schema.Field field : first.getFields()) {
        if (field.schema().getType() == Schema.Type.STRING) {
          assertThat(read.get(field.name())).as(name).isEqualTo(field.name());
        }
      }
    }
  }

  /** A record whose strings are their fields' names and whose numbers are 0. */
  private static GenericRecord blank(Schema schema) {
    GenericRecord blank = new GenericData.Record(schema);
    for (Schema.Field field : schema.getFields()) {
      blank.put(
          field.name(),
          switch (field.schema().getType()) {
            case STRING -> field.name();
            case INT -> 0;
            case LONG -> 0L;
            case ARRAY -> List.of();
            case ENUM ->
                new GenericData.EnumSymbol(
                    field.schema(), field.schema().getEnumSymbols().getFirst());
            case UNION -> null;
            default -> throw new IllegalArgumentException(field + " of another type");
          });
    }
    return blank;
  }

  /**
   * Whether the message was read; anything but a record or a {@link WireException} is a failure.
   */
  private boolean decodeOrRefuse(byte[] message) {
    try {
      return observations.decode(message) != null;
    } catch (WireException e) {
      assertThat(e.getMessage()).isNotBlank();
      return false;
    }
  }

  /** Where a claimed length stands. */
  private enum HostilePlace {
    ROBOT,
    STATE,
    STATE_IN_BYTES,
    FRAMES,
    DATA
  }

  private static byte[] hostile(HostilePlace place, long claimed) throws IOException {
    ByteArrayOutputStream bytes = header();
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    if (place == HostilePlace.ROBOT) {
      encoder.writeLong(claimed);
      encoder.writeString("robot");
      return bytes.toByteArray();
    }
    beginning(encoder);
    if (place == HostilePlace.STATE_IN_BYTES) {
      encoder.writeLong(-claimed);
      encoder.writeLong(4);
    } else if (place == HostilePlace.STATE) {
      encoder.writeLong(claimed);
    } else {
      encoder.writeInt(0);
      if (place == HostilePlace.FRAMES) {
        encoder.writeLong(claimed);
      } else {
        encoder.writeInt(1);
        encoder.writeString("top");
        encoder.writeEnum(0);
        encoder.writeInt(1);
        encoder.writeInt(1);
        encoder.writeLong(claimed);
      }
    }
    encoder.writeFixed(new byte[300]);
    return bytes.toByteArray();
  }

  /** Everything before the state. */
  private static void beginning(BinaryEncoder encoder) throws IOException {
    encoder.writeString("arm");
    encoder.writeString("e1");
    encoder.writeLong(1);
    encoder.writeLong(0);
    encoder.writeIndex(0);
    encoder.writeIndex(0);
  }

  private static ByteArrayOutputStream header() {
    return header(RobotObservation.getClassSchema());
  }

  private static ByteArrayOutputStream header(Schema schema) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(
        ByteBuffer.allocate(HEADER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((byte) 0xC3)
            .put((byte) 0x01)
            .putLong(SchemaNormalization.parsingFingerprint64(schema))
            .array());
    return bytes;
  }

  /** What was written first under a name. */
  private static Schema first(String name) throws IOException {
    try (var file = WireFormat.class.getResourceAsStream("older/" + name + "-1.avsc")) {
      return new Schema.Parser().parse(file);
    }
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean)
            java.lang.management.ManagementFactory.getThreadMXBean())
        .getCurrentThreadAllocatedBytes();
  }

  private static RobotObservation observation() {
    return new RobotObservation(
        "arm-7",
        "2026-03-01/4",
        3L,
        Instant.EPOCH.plusNanos(1_700_000_000_123_456_000L),
        null,
        "put the red block on the white tray",
        List.of(0.1f, -2.5f, 1e-30f),
        List.of(
            new CameraFrame("top", FrameEncoding.RGB8, 2, 1, ByteBuffer.wrap(new byte[6])),
            new CameraFrame("wrist", FrameEncoding.SAME, 0, 0, ByteBuffer.wrap(new byte[0]))),
        new ChunkInExecution(List.of(1f, 2f, 3f), 2, 10));
  }
}
