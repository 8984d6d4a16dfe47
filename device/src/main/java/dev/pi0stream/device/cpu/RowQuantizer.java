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
          for (int i = first; i < end; i++) {
            factors.setAtIndex(ValueLayout.JAVA_FLOAT, i, quantize(from, to, room, i, columns));
          }
        });
    return new Quantized(to.address(), factors.address());
  }

  /** One row; returns its scale. */
  private static float quantize(
      MemorySegment from, MemorySegment to, Bf16Row room, int row, int columns) {
    int pairs = columns / 2;
    long start = (long) row * columns;
    room.read(from, start * Short.BYTES, pairs);
    float greatest = room.greatest(pairs);
    float last = 0;
    if (columns % 2 == 1) {
      short stored = from.getAtIndex(ValueLayout.JAVA_SHORT, start + columns - 1);
      last = Float.intBitsToFloat(stored << 16);
      greatest = Math.max(greatest, Math.abs(last));
    }
    float scale = greatest / LIMIT;
    float factor = scale == 0 ? 0 : 1 / scale;
    short[] rounded = room.shorts();
    float[] even = room.even();
    float[] odd = room.odd();
    for (int i = 0; i < pairs; i++) {
      int first = (int) (even[i] * factor + SHIFT) - SIGN;
      int second = (int) (odd[i] * factor + SHIFT) - SIGN;
      rounded[i] = (short) ((first & 0xff) | (second << 8));
    }
    MemorySegment.copy(rounded, 0, to, ValueLayout.JAVA_SHORT_UNALIGNED, start, pairs);
    if (columns % 2 == 1) {
      to.set(
          ValueLayout.JAVA_BYTE,
          start + columns - 1,
          (byte) ((int) (last * factor + SHIFT) - SIGN));
    }
    return scale;
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
