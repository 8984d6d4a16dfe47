package dev.pi0stream.operators.replay;

import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.schemas.WireFormat;
import java.io.IOException;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.util.CloseShieldOutputStream;

/** Writes messages of the wire contract to Avro container files, which every Avro tool reads. */
public final class AvroContainerFactory implements BulkWriter.Factory<WireRecord> {
  private static final long serialVersionUID = 1L;
  private static final int COMPRESSION = 1;

  private final String schema;

  /**
   * @param schema of the messages
   */
  public AvroContainerFactory(Schema schema) {
    this.schema = schema.toString();
  }

  @Override
  public BulkWriter<WireRecord> create(FSDataOutputStream out) throws IOException {
    Schema parsed = new Schema.Parser().parse(schema);
    DataFileWriter<Object> container = new DataFileWriter<>(new GenericDatumWriter<>(parsed));
    container.setCodec(CodecFactory.deflateCodec(COMPRESSION));
    // The stream is Flink's, which closes it when the file is whole.
    container.create(parsed, new CloseShieldOutputStream(out));
    return new Container(container);
  }

  private record Container(DataFileWriter<Object> file) implements BulkWriter<WireRecord> {
    @Override
    public void addElement(WireRecord message) throws IOException {
      file.appendEncoded(WireFormat.body(message.value()));
    }

    @Override
    public void flush() throws IOException {
      file.flush();
    }

    @Override
    public void finish() throws IOException {
      file.close();
    }
  }
}
