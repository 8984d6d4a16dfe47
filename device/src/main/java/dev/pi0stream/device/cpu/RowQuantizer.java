package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Rounds rows to 8-bit integers, from −127 to 127, each row with a scale of its own: its greatest
 * number by magnitude becomes ±127.
 */
final class RowQuantizer implements AutoCloseable {
  static final int LIMIT = 127;

  /** Makes all numbers positive before they are cut to integers, so that they are rounded. */
  private static final float SHIFT = 128.5f;

  private static final int SIGN = 128;

  private final RowBlocks blocks;
  private final Workspace integers = new Workspace();
  private final Workspace scales = new Workspace();

  RowQuantizer(RowBlocks blocks) {
    this.blocks = blocks;
  }

  /** The addresses of the integers and of a scale for each row, until the next call. */
  record Quantized(long integers, long scales) {}

  /** Quantises bf16 rows. */
  Quantized quantize(MemorySegment from, int rows, int computedRows, int columns) {
    MemorySegment to = integers.reserve((long) computedRows * columns);
    MemorySegment factors = scales.reserve((long) computedRows * Float.BYTES);
    blocks.forEach(
        rows,
        columns,
        (room, first, end) -> {
          byte[] row = new byte[columns];
          for (int i = first; i < end; i++) {
            room.read(from, (long) i * columns * Short.BYTES, columns);
            float scale = Float.intBitsToFloat(greatest(room.bits(), columns)) / LIMIT;
            round(room.values(), scale, row);
            MemorySegment.copy(
                row, 0, to, ValueLayout.JAVA_BYTE, (long) i * columns, columns);
            factors.setAtIndex(ValueLayout.JAVA_FLOAT, i, scale);
          }
        });
    return new Quantized(to.address(), factors.address());
  }

  /** The bits of the greatest number by magnitude: positive floats are ordered as their bits. */
  static int greatest(int[] bits, int count) {
    int greatest = 0;
    for (int i = 0; i < count; i++) {
      greatest = Math.max(greatest, bits[i] & 0x7fffffff);
    }
    return greatest;
  }

  /** Divides by the scale and rounds to the nearest integer. */
  static void round(float[] values, float scale, byte[] row) {
    float factor = scale == 0 ? 0 : 1 / scale;
    for (int i = 0; i < row.length; i++) {
      row[i] = (byte) ((int) (values[i] * factor + SHIFT) - SIGN);
    }
  }

  @Override
  public void close() {
    integers.close();
    scales.close();
  }
}
