package dev.pi0stream.operators.replay;

import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ContainerFile;
import dev.pi0stream.schemas.RecordedObservation;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.file.DataFileStream;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.reader.SimpleStreamFormat;
import org.apache.flink.connector.file.src.reader.StreamFormat;
import org.apache.flink.core.fs.FSDataInputStream;

/** Recordings of the observations topic: Avro container files of {@link RecordedObservation}. */
public final class RecordingFormat extends SimpleStreamFormat<SourceRecord> {
  private static final long serialVersionUID = 1L;

  @Override
  public StreamFormat.Reader<SourceRecord> createReader(
      Configuration configuration, FSDataInputStream stream) throws IOException {
    return new ContainerReader(ContainerFile.observations().open(stream));
  }

  @Override
  public TypeInformation<SourceRecord> getProducedType() {
    return TypeInformation.of(SourceRecord.class);
  }

  private record ContainerReader(DataFileStream<RecordedObservation> records)
      implements StreamFormat.Reader<SourceRecord> {
    @Override
    public SourceRecord read() throws IOException {
      try {
        return records.hasNext() ? record(records.next()) : null;
      } catch (AvroRuntimeException e) {
        throw new IOException("a recording is broken: " + e.getMessage(), e);
      }
    }

    private static SourceRecord record(RecordedObservation recorded) {
      byte[] value = null;
      if (recorded.getValue() != null) {
        ByteBuffer buffer = recorded.getValue();
        value = new byte[buffer.remaining()];
        buffer.get(buffer.position(), value);
      }
      return new SourceRecord(
          new SourcePosition(recorded.getTopic(), recorded.getPartition(), recorded.getOffset()),
          recorded.getTimestamp(),
          value);
    }

    @Override
    public void close() throws IOException {
      records.close();
    }
  }
}
