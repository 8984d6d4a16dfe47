package dev.pi0stream.operators.replay;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * An episode, or what is left of it.
 *
 * @param next the step that is read next
 */
public record EpisodeSplit(int episode, int next) implements SourceSplit {
  @Override
  public String splitId() {
    return StepIdentity.episodeName(episode);
  }

  /** Splits as bytes: the two numbers. */
  static final class Serializer implements SimpleVersionedSerializer<EpisodeSplit> {
    private static final int VERSION = 1;

    @Override
    public int getVersion() {
      return VERSION;
    }

    @Override
    public byte[] serialize(EpisodeSplit split) throws IOException {
      return bytes(List.of(split));
    }

    @Override
    public EpisodeSplit deserialize(int version, byte[] bytes) throws IOException {
      return splits(version, bytes).getFirst();
    }
  }

  /** Lists of splits as bytes. */
  static final class ListSerializer implements SimpleVersionedSerializer<List<EpisodeSplit>> {
    @Override
    public int getVersion() {
      return Serializer.VERSION;
    }

    @Override
    public byte[] serialize(List<EpisodeSplit> splits) throws IOException {
      return bytes(splits);
    }

    @Override
    public List<EpisodeSplit> deserialize(int version, byte[] bytes) throws IOException {
      return splits(version, bytes);
    }
  }

  private static byte[] bytes(List<EpisodeSplit> splits) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeInt(splits.size());
    for (EpisodeSplit split : splits) {
      out.writeInt(split.episode());
      out.writeInt(split.next());
    }
    return bytes.toByteArray();
  }

  private static List<EpisodeSplit> splits(int version, byte[] bytes) throws IOException {
    if (version != Serializer.VERSION) {
      throw new IOException(
          "splits of version %d: expected %d".formatted(version, Serializer.VERSION));
    }
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    int count = in.readInt();
    List<EpisodeSplit> splits = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      splits.add(new EpisodeSplit(in.readInt(), in.readInt()));
    }
    return splits;
  }
}
