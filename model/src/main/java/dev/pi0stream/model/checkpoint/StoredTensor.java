package dev.pi0stream.model.checkpoint;

import dev.pi0stream.device.DType;
import dev.pi0stream.device.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * A tensor of a safetensors file: row-major, little-endian.
 *
 * @param shape sizes of the dimensions, outermost first; empty for a single number
 * @param data its bytes, a slice of the mapped file
 * @param file where it lies, for messages
 */
public record StoredTensor(
    String name, StoredType type, List<Integer> shape, MemorySegment data, Path file) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  public StoredTensor {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(data, "data");
    shape = List.copyOf(shape);
  }

  /** The number of elements. */
  public long count() {
    return data.byteSize() / type.bytes();
  }

  /** The shape as people write it: {@code [2, 3]}. */
  public String shapeText() {
    return shape.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }

  /** All elements of an F32, F16 or BF16 tensor, widened exactly. */
  public float[] floats() {
    return asParameter(1, length(), "floating-point numbers of at most 32 bits").toFloats();
  }

  /** All elements of an F64, F32, F16 or BF16 tensor, widened exactly. */
  public double[] doubles() {
    double[] values = new double[length()];
    if (type == StoredType.F64) {
      MemorySegment.copy(data, DOUBLE, 0, values, 0, values.length);
    } else {
      float[] narrow = asParameter(1, values.length, "floating-point numbers").toFloats();
      for (int i = 0; i < values.length; i++) {
        values[i] = narrow[i];
      }
    }
    return values;
  }

  /** All elements of an integer tensor; U64 above 2⁶³ − 1 is refused. */
  public long[] longs() {
    long[] values = new long[length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = integer(i);
    }
    return values;
  }

  private long integer(int index) {
    return switch (type) {
      case U8 -> data.get(ValueLayout.JAVA_BYTE, index) & 0xffL;
      case I8 -> data.get(ValueLayout.JAVA_BYTE, index);
      case U16 -> data.getAtIndex(SHORT, index) & 0xffffL;
      case I16 -> data.getAtIndex(SHORT, index);
      case U32 -> data.getAtIndex(INT, index) & 0xffff_ffffL;
      case I32 -> data.getAtIndex(INT, index);
      case I64 -> data.getAtIndex(LONG, index);
      case U64 -> {
        long value = data.getAtIndex(LONG, index);
        if (value < 0) {
          throw unusable("integers below 2^63");
        }
        yield value;
      }
      default -> throw unusable("integers");
    };
  }

  /** All elements of a U8 or I8 tensor as they are stored. */
  public byte[] bytes() {
    if (type != StoredType.U8 && type != StoredType.I8) {
      throw unusable("bytes");
    }
    byte[] values = new byte[length()];
    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, 0, values, 0, values.length);
    return values;
  }

  /** All elements of a BOOL tensor. */
  public boolean[] booleans() {
    if (type != StoredType.BOOL) {
      throw unusable("booleans");
    }
    boolean[] values = new boolean[length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = data.get(ValueLayout.JAVA_BYTE, i) != 0;
    }
    return values;
  }

  /**
   * The tensor as a weight: a vector as one row, a matrix as it is, of more dimensions (the kernels
   * of a convolution) the first as rows and all others as columns.
   */
  public Parameter parameter() {
    int rows = shape.size() < 2 ? 1 : shape.getFirst();
    int columns = rows == 0 ? 0 : Math.toIntExact(count() / rows);
    return asParameter(rows, columns, "weights");
  }

  /**
   * The tensor as a weight that has to be of a known shape.
   *
   * @throws CheckpointException if it is of another one
   */
  public Parameter parameter(int rows, int columns) {
    Parameter parameter = parameter();
    if (parameter.rows() != rows || parameter.columns() != columns) {
      throw new CheckpointException(
          "%s: tensor '%s' has shape %s; expected %d × %d"
              .formatted(file, name, shapeText(), rows, columns));
    }
    return parameter;
  }

  private Parameter asParameter(int rows, int columns, String expected) {
    DType weightType = type.weightType().orElseThrow(() -> unusable(expected));
    return new Parameter(name, weightType, rows, columns, data);
  }

  private int length() {
    if (count() > Integer.MAX_VALUE) {
      throw unusable("at most 2^31 - 1 elements");
    }
    return (int) count();
  }

  private CheckpointException unusable(String expected) {
    return new CheckpointException(
        "%s: tensor '%s' is %s %s; expected %s".formatted(file, name, type, shapeText(), expected));
  }
}
