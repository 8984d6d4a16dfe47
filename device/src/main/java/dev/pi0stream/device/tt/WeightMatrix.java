package dev.pi0stream.device.tt;

import dev.pi0stream.device.DType;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.tt.python.ElementType;
import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.Layout;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Weights in the host's memory on their way to the device: inputs × outputs, the other way round
 * than checkpoints have them, with zeros for what is padded. They stay bfloat16 where all that goes
 * in is, and are fp32 otherwise: the device's type is TTNN's to round to, once. What they are
 * scaled by is a power of two, which times a bfloat16 is one, but for numbers that are next to
 * nothing.
 */
final class WeightMatrix implements AutoCloseable {
  /** So many outputs are transposed at a time. */
  private static final int BAND = 32;

  private final Arena arena = Arena.ofConfined();
  private final ElementType element;
  private final int inputs;
  private final int outputs;
  private final MemorySegment memory;

  /**
   * Zeros for so many padded inputs and outputs.
   *
   * @param sources what will be put in
   */
  WeightMatrix(int inputs, int outputs, List<Parameter> sources) {
    boolean halves = sources.stream().allMatch(source -> source.type() == DType.BF16);
    this.element = halves ? ElementType.BFLOAT16 : ElementType.FLOAT32;
    this.inputs = inputs;
    this.outputs = outputs;
    this.memory = arena.allocate((long) inputs * outputs * element.bytes(), 64);
  }

  /** Where what lies without padding stays. */
  static IntUnaryOperator from(int first) {
    return index -> first + index;
  }

  /**
   * Puts weights in.
   *
   * @param source outputs × inputs
   * @param input where an input goes
   * @param output where an output goes
   * @param scale a power of two
   */
  void put(Parameter source, IntUnaryOperator input, IntUnaryOperator output, float scale) {
    int columns = source.columns();
    int[] rows = new int[columns];
    for (int column = 0; column < columns; column++) {
      rows[column] = input.applyAsInt(column);
    }
    float[] band = new float[BAND * columns];
    for (int first = 0; first < source.rows(); first += BAND) {
      int count = Math.min(BAND, source.rows() - first);
      source.read((long) first * columns, band, 0, count * columns);
      int[] targets = new int[count];
      for (int i = 0; i < count; i++) {
        targets[i] = output.applyAsInt(first + i);
      }
      for (int column = 0; column < columns; column++) {
        long start = (long) rows[column] * outputs;
        for (int i = 0; i < count; i++) {
          set(start + targets[i], band[i * columns + column] * scale);
        }
      }
    }
  }

  private void set(long index, float value) {
    if (element == ElementType.FLOAT32) {
      memory.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
    } else {
      memory.setAtIndex(
          ValueLayout.JAVA_SHORT, index, (short) (Float.floatToRawIntBits(value) >>> Short.SIZE));
    }
  }

  /** Copies it to the device: [1, 1, inputs, outputs]. */
  TtnnTensor upload(MeshDevice chip, DataType type) {
    return chip.upload(memory, element, Shape.of(1, 1, inputs, outputs), type, Layout.TILE);
  }

  /** A vector on the device, [1, 1, 1, columns]. */
  static TtnnTensor vector(MeshDevice chip, float[] values, DataType type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
      Shape shape = Shape.of(1, 1, 1, values.length);
      return chip.upload(memory, ElementType.FLOAT32, shape, type, Layout.TILE);
    }
  }

  /** A table on the device, row after row: [1, 1, rows, columns]. */
  static TtnnTensor table(MeshDevice chip, Parameter source) {
    ElementType element = source.type() == DType.BF16 ? ElementType.BFLOAT16 : ElementType.FLOAT32;
    Shape shape = Shape.of(1, 1, source.rows(), source.columns());
    MemorySegment data = source.data();
    boolean lendable =
        source.type() != DType.F16
            && data.isNative()
            && data.address() % element.bytes() == 0
            && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    if (lendable) {
      return chip.upload(data, element, shape, DataType.BFLOAT16, Layout.ROW_MAJOR);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(shape.numbers() * element.bytes(), 64);
      if (source.type() == DType.F16) {
        float[] row = new float[source.columns()];
        for (int i = 0; i < source.rows(); i++) {
          source.read((long) i * row.length, row, 0, row.length);
          HostInput.put(row, 0, copy, (long) i * row.length, row.length);
        }
      } else {
        copy.copyFrom(data);
      }
      return chip.upload(copy, element, shape, DataType.BFLOAT16, Layout.ROW_MAJOR);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
