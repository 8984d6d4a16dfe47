package dev.pi0stream.model.checkpoint;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Collects tensors and writes them as one safetensors file, the widest types first, so that every
 * tensor is aligned.
 */
public final class SafetensorsWriter {
  private static final int COPY_BYTES = 1 << 20;
  private static final JsonMapper JSON = new JsonMapper();

  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private record Entry(String name, StoredType type, int[] shape, MemorySegment data) {}

  /** Adds a line to the file's metadata. */
  public SafetensorsWriter metadata(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  /** Adds an F32 tensor. */
  public SafetensorsWriter floats(String name, float[] values, int... shape) {
    ByteBuffer bytes = buffer(values.length, Float.BYTES);
    bytes.asFloatBuffer().put(values);
    return add(name, StoredType.F32, MemorySegment.ofBuffer(bytes), shape);
  }

  /** Adds an I64 tensor. */
  public SafetensorsWriter longs(String name, long[] values, int... shape) {
    ByteBuffer bytes = buffer(values.length, Long.BYTES);
    bytes.asLongBuffer().put(values);
    return add(name, StoredType.I64, MemorySegment.ofBuffer(bytes), shape);
  }

  /** Adds a U8 tensor. */
  public SafetensorsWriter bytes(String name, byte[] values, int... shape) {
    return add(name, StoredType.U8, MemorySegment.ofArray(values.clone()), shape);
  }

  /** Adds a BOOL tensor. */
  public SafetensorsWriter booleans(String name, boolean[] values, int... shape) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) (values[i] ? 1 : 0);
    }
    return add(name, StoredType.BOOL, MemorySegment.ofArray(bytes), shape);
  }

  /** Adds a tensor as it is stored elsewhere; its data is read when the file is written. */
  public SafetensorsWriter tensor(StoredTensor tensor) {
    int[] shape = tensor.shape().stream().mapToInt(Integer::intValue).toArray();
    return add(tensor.name(), tensor.type(), tensor.data(), shape);
  }

  /** Adds a tensor of little-endian bytes, which are read when the file is written. */
  public SafetensorsWriter add(String name, StoredType type, MemorySegment data, int... shape) {
    long bytes = type.bytes();
    for (int size : shape) {
      bytes = Math.multiplyExact(bytes, size);
    }
    if (bytes != data.byteSize()) {
      throw new IllegalArgumentException(
          "tensor '%s': %s of shape %s are %d bytes, not %d"
              .formatted(name, type, Arrays.toString(shape), bytes, data.byteSize()));
    }
    if (entries.putIfAbsent(name, new Entry(name, type, shape.clone(), data)) != null) {
      throw new IllegalArgumentException("tensor '" + name + "' is there already");
    }
    return this;
  }

  /** Writes the file; one that is there is replaced. */
  public void write(Path file) throws IOException {
    List<Entry> sorted = new ArrayList<>(entries.values());
    sorted.sort(
        Comparator.comparingInt((Entry entry) -> -entry.type.bytes()).thenComparing(Entry::name));
    byte[] header = header(sorted);
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(buffer(1, Long.BYTES).putLong(0, header.length).array());
      out.write(header);
      for (Entry entry : sorted) {
        copy(entry.data, out);
      }
    }
  }

  private byte[] header(List<Entry> sorted) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      root.set("__metadata__", JSON.valueToTree(metadata));
    }
    long offset = 0;
    for (Entry entry : sorted) {
      ObjectNode node = root.putObject(entry.name);
      node.put("dtype", entry.type.name());
      ArrayNode shape = node.putArray("shape");
      Arrays.stream(entry.shape).forEach(shape::add);
      node.putArray("data_offsets").add(offset).add(offset + entry.data.byteSize());
      offset += entry.data.byteSize();
    }
    String text = JSON.writeValueAsString(root);
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    // Spaces behind the object are part of the format and keep the data aligned.
    return (text + " ".repeat(-length & 7)).getBytes(StandardCharsets.UTF_8);
  }

  private static void copy(MemorySegment data, OutputStream out) throws IOException {
    byte[] buffer = new byte[COPY_BYTES];
    for (long from = 0; from < data.byteSize(); from += buffer.length) {
      int count = (int) Math.min(buffer.length, data.byteSize() - from);
      MemorySegment.copy(data, ValueLayout.JAVA_BYTE, from, buffer, 0, count);
      out.write(buffer, 0, count);
    }
  }

  private static ByteBuffer buffer(int count, int size) {
    return ByteBuffer.allocate(Math.multiplyExact(count, size)).order(ByteOrder.LITTLE_ENDIAN);
  }
}
