package dev.pi0stream.model.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A <a href="https://github.com/huggingface/safetensors#format">safetensors</a> file, mapped into
 * memory: eight bytes with the length of a JSON header, the header, and the tensors' bytes. The
 * whole header is checked when the file is opened, as strictly as the format's own library does: a
 * tensor's range fits its type and shape, and the ranges cover the file without gaps or overlaps.
 */
public final class Safetensors implements Tensors {
  private static final String METADATA = "__metadata__";

  /** The format's own bound on the header; longer ones are damage or an attack. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .readerFor(JsonNode.class);

  private final Path file;
  private final Arena arena;
  private final Map<String, String> metadata;
  private final Map<String, StoredTensor> tensors;

  private Safetensors(
      Path file, Arena arena, Map<String, String> metadata, Map<String, StoredTensor> tensors) {
    this.file = file;
    this.arena = arena;
    this.metadata = metadata;
    this.tensors = tensors;
  }

  /**
   * Maps a file and checks its header.
   *
   * @throws CheckpointException if there is no such file, or it is not a whole safetensors file
   */
  public static Safetensors open(Path file) {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return new Parser(file, bytes).parse(arena);
    } catch (NoSuchFileException e) {
      arena.close();
      throw new CheckpointException(file + ": there is no such file", e);
    } catch (IOException e) {
      arena.close();
      throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** The file's metadata: free text under free keys. */
  public Map<String, String> metadata() {
    return metadata;
  }

  @Override
  public Path place() {
    return file;
  }

  @Override
  public Optional<StoredTensor> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  @Override
  public Collection<StoredTensor> all() {
    return tensors.values();
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  /** Reads the header of one file. */
  private record Parser(Path file, MemorySegment bytes) {
    private static final ValueLayout.OfLong LENGTH =
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    Safetensors parse(Arena arena) {
      if (bytes.byteSize() < Long.BYTES) {
        throw refusal(
            "%d bytes are too few for a safetensors file, which begins with its header's length"
                .formatted(bytes.byteSize()));
      }
      long length = bytes.get(LENGTH, 0);
      if (length < 0 || length > MAX_HEADER_BYTES) {
        throw refusal(
            "the header claims %s bytes; expected at most %d"
                .formatted(Long.toUnsignedString(length), MAX_HEADER_BYTES));
      }
      if (length > bytes.byteSize() - Long.BYTES) {
        throw refusal(
            "the header claims %d bytes, but only %d follow"
                .formatted(length, bytes.byteSize() - Long.BYTES));
      }
      JsonNode header = json(bytes.asSlice(Long.BYTES, length));
      MemorySegment data = bytes.asSlice(Long.BYTES + length);
      Map<String, String> metadata = new LinkedHashMap<>();
      List<Range> ranges = new ArrayList<>();
      for (Map.Entry<String, JsonNode> entry : header.properties()) {
        if (entry.getKey().equals(METADATA)) {
          metadata.putAll(metadata(entry.getValue()));
        } else {
          ranges.add(range(entry.getKey(), entry.getValue(), data.byteSize()));
        }
      }
      checkCover(ranges, data.byteSize());
      Map<String, StoredTensor> tensors = new TreeMap<>();
      for (Range range : ranges) {
        MemorySegment slice = data.asSlice(range.begin, range.end - range.begin);
        tensors.put(range.name, new StoredTensor(range.name, range.type, range.shape, slice, file));
      }
      return new Safetensors(
          file, arena, Collections.unmodifiableMap(metadata), Collections.unmodifiableMap(tensors));
    }

    private JsonNode json(MemorySegment segment) {
      JsonNode header;
      try {
        String text = StandardCharsets.UTF_8.newDecoder().decode(segment.asByteBuffer()).toString();
        header = JSON.readValue(text);
      } catch (CharacterCodingException e) {
        throw new CheckpointException(file + ": the header is not UTF-8 text", e);
      } catch (JsonProcessingException e) {
        throw new CheckpointException(
            "%s: the header is not JSON without duplicate names: %s"
                .formatted(file, e.getOriginalMessage()),
            e);
      }
      if (header == null || !header.isObject()) {
        throw refusal("the header is not a JSON object");
      }
      return header;
    }

    private Map<String, String> metadata(JsonNode node) {
      if (!node.isObject()) {
        throw refusal("%s is not a JSON object".formatted(METADATA));
      }
      Map<String, String> metadata = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> entry : node.properties()) {
        if (!entry.getValue().isTextual()) {
          throw refusal("%s entry '%s' is not text".formatted(METADATA, entry.getKey()));
        }
        metadata.put(entry.getKey(), entry.getValue().textValue());
      }
      return metadata;
    }

    private Range range(String name, JsonNode node, long dataBytes) {
      StoredType type = type(name, node.path("dtype"));
      List<Integer> shape = shape(name, node.path("shape"));
      JsonNode offsets = node.path("data_offsets");
      if (!offsets.isArray()
          || offsets.size() != 2
          || !offsets.get(0).canConvertToLong()
          || !offsets.get(1).canConvertToLong()
          || !offsets.get(0).isIntegralNumber()
          || !offsets.get(1).isIntegralNumber()) {
        throw refusal(
            "tensor '%s' has data_offsets %s; expected two integers".formatted(name, offsets));
      }
      long begin = offsets.get(0).longValue();
      long end = offsets.get(1).longValue();
      if (begin < 0 || end < begin || end > dataBytes) {
        throw refusal(
            "tensor '%s' claims bytes %d to %d of the %d that follow the header"
                .formatted(name, begin, end, dataBytes));
      }
      if (!fits(type, shape, end - begin)) {
        throw refusal(
            "tensor '%s' claims %d bytes, which are not %s of shape %s"
                .formatted(name, end - begin, type, shape));
      }
      return new Range(name, type, shape, begin, end);
    }

    private StoredType type(String name, JsonNode node) {
      for (StoredType type : StoredType.values()) {
        if (node.isTextual() && node.textValue().equals(type.name())) {
          return type;
        }
      }
      throw refusal("tensor '%s' has the unknown dtype %s".formatted(name, node));
    }

    private List<Integer> shape(String name, JsonNode node) {
      List<Integer> shape = new ArrayList<>();
      for (JsonNode size : node) {
        if (!size.isIntegralNumber() || !size.canConvertToInt() || size.intValue() < 0) {
          throw refusal(
              "tensor '%s' has shape %s; expected sizes from 0 to 2^31 - 1".formatted(name, node));
        }
        shape.add(size.intValue());
      }
      if (!node.isArray()) {
        throw refusal("tensor '%s' has shape %s; expected an array".formatted(name, node));
      }
      return shape;
    }

    private static boolean fits(StoredType type, List<Integer> shape, long bytes) {
      if (shape.contains(0)) {
        return bytes == 0;
      }
      long rest = bytes;
      for (int size : shape) {
        if (rest % size != 0) {
          return false;
        }
        rest /= size;
      }
      return rest == type.bytes();
    }

    private void checkCover(List<Range> ranges, long dataBytes) {
      List<Range> sorted = new ArrayList<>(ranges);
      sorted.sort(Comparator.comparingLong(Range::begin).thenComparingLong(Range::end));
      long covered = 0;
      String last = "the header";
      for (Range range : sorted) {
        if (range.begin < covered) {
          throw refusal(
              "tensor '%s' begins at byte %d, inside of '%s'"
                  .formatted(range.name, range.begin, last));
        }
        if (range.begin > covered) {
          throw refusal(
              "bytes %d to %d before tensor '%s' belong to no tensor"
                  .formatted(covered, range.begin, range.name));
        }
        covered = range.end;
        last = range.name;
      }
      if (covered != dataBytes) {
        throw refusal(
            "%d bytes behind the last tensor belong to no tensor".formatted(dataBytes - covered));
      }
    }

    private CheckpointException refusal(String what) {
      return new CheckpointException(file + ": " + what);
    }
  }

  private record Range(String name, StoredType type, List<Integer> shape, long begin, long end) {}
}
