package dev.pi0stream.schemas;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * A record of the wire contract as bytes, in <a
 * href="https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding">Avro's
 * single-object encoding</a>: the marker {@code C3 01}, the CRC-64-AVRO fingerprint of the writer's
 * schema (little endian), the body.
 *
 * <p>A format reads what was written with any of the schemas that it knows and resolves it to the
 * current one, so that robots and job may be updated in any order. Decoding takes bytes from
 * strangers: whatever they are, it ends in a record or in a {@link WireException}, and takes memory
 * in proportion to the message, not to the lengths that the message claims.
 *
 * <p>Formats are immutable and may be used by several threads.
 *
 * @param <T> the record
 */
public final class WireFormat<T extends SpecificRecordBase> {
  /** Larger messages are refused unread. */
  public static final int MAX_MESSAGE_BYTES = 64 << 20;

  private static final byte[] MARKER = {(byte) 0xC3, (byte) 0x01};
  private static final int HEADER_BYTES = MARKER.length + Long.BYTES;

  private final Schema schema;
  private final long fingerprint;
  private final ContractData model = new ContractData();
  private final Map<Long, DatumReader<T>> readers;

  /**
   * @param schema what is written, and what is read is resolved to
   * @param older further schemas that robots may still write with
   */
  WireFormat(Schema schema, List<Schema> older) {
    this.schema = schema;
    fingerprint = SchemaNormalization.parsingFingerprint64(schema);
    readers = new TreeMap<>();
    for (Schema writer : older) {
      readers.put(
          SchemaNormalization.parsingFingerprint64(writer),
          new SpecificDatumReader<>(writer, schema, model));
    }
    readers.put(fingerprint, new SpecificDatumReader<>(schema, schema, model));
  }

  /** The format of the observations topic. */
  public static WireFormat<RobotObservation> observations() {
    return new WireFormat<>(
        RobotObservation.getClassSchema(), List.of(older("RobotObservation-1.avsc")));
  }

  /** The format of the chunks topic. */
  public static WireFormat<ActionChunk> chunks() {
    return new WireFormat<>(ActionChunk.getClassSchema(), List.of(older("ActionChunk-1.avsc")));
  }

  /** The format of the outcomes topic. */
  public static WireFormat<ObservationOutcome> outcomes() {
    return new WireFormat<>(
        ObservationOutcome.getClassSchema(), List.of(older("ObservationOutcome-1.avsc")));
  }

  /** The format of the telemetry topic. */
  public static WireFormat<RobotTelemetry> telemetry() {
    return new WireFormat<>(RobotTelemetry.getClassSchema(), List.of());
  }

  /** A schema that is not written any more but still read; a file of this name, never changed. */
  private static Schema older(String name) {
    try (InputStream file = WireFormat.class.getResourceAsStream("older/" + name)) {
      return new Schema.Parser().parse(file);
    } catch (IOException e) {
      throw new UncheckedIOException("the older schema " + name + " cannot be read", e);
    }
  }

  /** The message of a record, written with the current schema. */
  public byte[] encode(T message) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(
        ByteBuffer.allocate(HEADER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(MARKER)
            .putLong(fingerprint)
            .array());
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    try {
      new SpecificDatumWriter<T>(schema, model).write(message, encoder);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return bytes.toByteArray();
  }

  /**
   * The record of a message.
   *
   * @throws WireException when the bytes are not exactly one message of a known schema
   */
  public T decode(byte[] message) throws WireException {
    DatumReader<T> reader = reader(message);
    BinaryDecoder decoder =
        DecoderFactory.get()
            .binaryDecoder(message, HEADER_BYTES, message.length - HEADER_BYTES, null);
    T decoded;
    int surplus;
    try {
      decoded = reader.read(null, decoder);
      surplus = decoder.remainingBytes();
    } catch (EOFException e) {
      throw new WireException(
          "message of %,d bytes ends, or claims more than it holds, within its %s"
              .formatted(message.length, schema.getName()),
          e);
    } catch (IOException | RuntimeException e) {
      throw new WireException(
          "message of %,d bytes does not hold a %s: %s"
              .formatted(message.length, schema.getName(), e.getMessage()),
          e);
    }
    if (surplus != 0) {
      throw new WireException(
          "message of %,d bytes has %,d behind its %s: expected none"
              .formatted(message.length, surplus, schema.getName()));
    }
    return decoded;
  }

  /** The record of a message that {@link #encode} wrote, without the header: its Avro binary. */
  public static ByteBuffer body(byte[] message) {
    return ByteBuffer.wrap(message, HEADER_BYTES, message.length - HEADER_BYTES);
  }

  /** The reader for the schema that the header names. */
  private DatumReader<T> reader(byte[] message) throws WireException {
    if (message.length > MAX_MESSAGE_BYTES) {
      throw new WireException(
          "message has %,d bytes: expected at most %,d"
              .formatted(message.length, MAX_MESSAGE_BYTES));
    }
    if (message.length < HEADER_BYTES) {
      throw new WireException(
          "message has %d bytes: expected at least the %d of Avro's single-object header"
              .formatted(message.length, HEADER_BYTES));
    }
    if (message[0] != MARKER[0] || message[1] != MARKER[1]) {
      throw new WireException(
          "message begins with %02x %02x: expected c3 01, the marker of Avro's single-object encoding"
              .formatted(message[0], message[1]));
    }
    long writer = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN).getLong(MARKER.length);
    DatumReader<T> reader = readers.get(writer);
    if (reader == null) {
      throw new WireException(
          "message was written with the schema of fingerprint %016x: expected a %s, %s"
              .formatted(
                  writer,
                  schema.getName(),
                  readers.keySet().stream()
                      .map("%016x"::formatted)
                      .collect(Collectors.joining(" or "))));
    }
    return reader;
  }
}
