package dev.pi0stream.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A named weight in host memory, usually a slice of a memory-mapped file: a matrix of {@code rows}
 * × {@code columns}, row-major and little-endian, as PyTorch stores {@code nn.Linear.weight}
 * (outputs × inputs). A vector is a matrix of one row.
 *
 * @param name the published name, for messages
 * @param data at least {@code rows · columns · type.bytes()} bytes, without alignment
 */
public record Parameter(String name, DType type, int rows, int columns, MemorySegment data) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Numbers of two bytes are widened in pieces of this many, which stay in the cache. */
  private static final int PIECE = 1 << 12;

  public Parameter {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    if (rows < 0 || columns < 0) {
      throw new IllegalArgumentException(name + ": shape " + rows + " × " + columns);
    }
    long bytes = (long) rows * columns * type.bytes();
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "%s: %d × %d numbers of %s are %d bytes, not %d"
              .formatted(name, rows, columns, type, bytes, data.byteSize()));
    }
  }

  /** A matrix of fp32 numbers held on the heap. */
  public static Parameter of(String name, int rows, int columns, float... values) {
    return new Parameter(name, DType.F32, rows, columns, MemorySegment.ofArray(values));
  }

  /** A vector of fp32 numbers held on the heap. */
  public static Parameter vector(String name, float... values) {
    return of(name, 1, values.length, values);
  }

  /** The number at a row and column, widened to fp32 (exact for every {@link DType}). */
  public float at(int row, int column) {
    float[] one = new float[1];
    read((long) row * columns + column, one, 0, 1);
    return one[0];
  }

  /**
   * Reads numbers, widened to fp32.
   *
   * @param first the first of them, counted row after row
   * @param to gets them
   * @param at where the first goes
   */
  public void read(long first, float[] to, int at, int count) {
    if (type == DType.F32) {
      MemorySegment.copy(data, FLOAT, first * Float.BYTES, to, at, count);
      return;
    }
    short[] stored = new short[Math.min(PIECE, count)];
    for (int done = 0; done < count; done += stored.length) {
      int length = Math.min(stored.length, count - done);
      MemorySegment.copy(data, SHORT, (first + done) * Short.BYTES, stored, 0, length);
      widen(stored, to, at + done, length);
    }
  }

  private void widen(short[] stored, float[] to, int at, int count) {
    if (type == DType.BF16) {
      for (int i = 0; i < count; i++) {
        to[at + i] = Float.intBitsToFloat(stored[i] << 16);
      }
    } else {
      for (int i = 0; i < count; i++) {
        to[at + i] = Float.float16ToFloat(stored[i]);
      }
    }
  }

  /** How many numbers there are. */
  public long count() {
    return (long) rows * columns;
  }

  /** All numbers, row after row, widened to fp32. */
  public float[] toFloats() {
    float[] values = new float[Math.multiplyExact(rows, columns)];
    read(0, values, 0, values.length);
    return values;
  }

  /** Columns {@code from} (inclusive) to {@code to} (exclusive), copied to fp32. */
  public Parameter columns(int from, int to) {
    Objects.checkFromToIndex(from, to, columns);
    int width = to - from;
    float[] values = new float[Math.multiplyExact(rows, width)];
    for (int row = 0; row < rows; row++) {
      read((long) row * columns + from, values, row * width, width);
    }
    return of("%s[:, %d:%d]".formatted(name, from, to), rows, width, values);
  }
}
