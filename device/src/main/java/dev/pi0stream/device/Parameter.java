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
    return at((long) row * columns + column);
  }

  private float at(long index) {
    return switch (type) {
      case F32 -> data.getAtIndex(FLOAT, index);
      case F16 -> Float.float16ToFloat(data.getAtIndex(SHORT, index));
      case BF16 -> Float.intBitsToFloat(data.getAtIndex(SHORT, index) << 16);
    };
  }

  /** All numbers, row after row, widened to fp32. */
  public float[] toFloats() {
    float[] values = new float[Math.multiplyExact(rows, columns)];
    if (type == DType.F32) {
      MemorySegment.copy(data, FLOAT, 0, values, 0, values.length);
    } else {
      for (int i = 0; i < values.length; i++) {
        values[i] = at(i);
      }
    }
    return values;
  }

  /** Columns {@code from} (inclusive) to {@code to} (exclusive), copied to fp32. */
  public Parameter columns(int from, int to) {
    Objects.checkFromToIndex(from, to, columns);
    float[] values = new float[Math.multiplyExact(rows, to - from)];
    int next = 0;
    for (int row = 0; row < rows; row++) {
      for (int column = from; column < to; column++) {
        values[next++] = at(row, column);
      }
    }
    return of("%s[:, %d:%d]".formatted(name, from, to), rows, to - from, values);
  }
}
