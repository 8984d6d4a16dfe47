package dev.pi0stream.schemas;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.file.DataFileStream;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * Records of the contract in <a
 * href="https://avro.apache.org/docs/1.12.0/specification/#object-container-files">Avro's object
 * container files</a>, which carry their schema and are read by every Avro tool: recordings of
 * topics, and the answers of replays.
 *
 * @param <T> the record
 */
public final class ContainerFile<T extends SpecificRecordBase> {
  /** Frames do not shrink, and numbers little: the fastest level. */
  private static final int COMPRESSION = 1;

  private final Schema schema;
  private final ContractData model = new ContractData();

  private ContainerFile(Schema schema) {
    this.schema = schema;
  }

  /** Files of records of the observations topic. */
  public static ContainerFile<RecordedObservation> observations() {
    return new ContainerFile<>(RecordedObservation.getClassSchema());
  }

  /** Files of action chunks. */
  public static ContainerFile<ActionChunk> chunks() {
    return new ContainerFile<>(ActionChunk.getClassSchema());
  }

  /** Files of outcomes. */
  public static ContainerFile<ObservationOutcome> outcomes() {
    return new ContainerFile<>(ObservationOutcome.getClassSchema());
  }

  /**
   * Opens a file.
   *
   * @throws IOException when it is not there or no container file of this record
   */
  public DataFileReader<T> open(Path file) throws IOException {
    try {
      return new DataFileReader<>(file.toFile(), reader());
    } catch (AvroRuntimeException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Reads a file that comes as a stream, which is closed with it. */
  public DataFileStream<T> open(InputStream in) throws IOException {
    return new DataFileStream<>(in, reader());
  }

  /** Begins a file; the stream is closed with it. */
  public DataFileWriter<T> create(OutputStream out) throws IOException {
    DataFileWriter<T> file = new DataFileWriter<>(new SpecificDatumWriter<>(schema, model));
    file.setCodec(CodecFactory.deflateCodec(COMPRESSION));
    return file.create(schema, out);
  }

  /**
   * How many records a file holds; reads no more than the heads of its blocks.
   *
   * @throws IOException when it is not there or broken
   */
  public static long count(Path file) throws IOException {
    try (DataFileReader<Object> records =
        new DataFileReader<>(file.toFile(), new GenericDatumReader<>())) {
      long count = 0;
      while (records.hasNext()) {
        count += records.getBlockCount();
        records.nextBlock();
      }
      return count;
    } catch (AvroRuntimeException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private SpecificDatumReader<T> reader() {
    return new SpecificDatumReader<>(schema, schema, model);
  }
}
