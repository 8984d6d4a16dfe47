package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Room for a row of bf16 numbers as floats. Bits are moved between arrays of integers and of floats
 * as bytes, since the compiler vectorises loops over integers and loops over floats, but not loops
 * that reinterpret one as the other.
 */
final class Bf16Row {
  private final short[] stored;
  private final int[] bits;
  private final float[] values;
  private final MemorySegment bitBytes;
  private final MemorySegment valueBytes;

  Bf16Row(int capacity) {
    stored = new short[capacity];
    bits = new int[capacity];
    values = new float[capacity];
    bitBytes = MemorySegment.ofArray(bits);
    valueBytes = MemorySegment.ofArray(values);
  }

  int capacity() {
    return values.length;
  }

  /** The numbers. */
  float[] values() {
    return values;
  }

  /** The bits of the numbers that were {@linkplain #read read}, as fp32. */
  int[] bits() {
    return bits;
  }

  /** Reads bf16 numbers. */
  void read(MemorySegment from, long offset, int count) {
    MemorySegment.copy(from, ValueLayout.JAVA_SHORT_UNALIGNED, offset, stored, 0, count);
    for (int i = 0; i < count; i++) {
      bits[i] = stored[i] << 16;
    }
    MemorySegment.copy(bitBytes, 0, valueBytes, 0, (long) count * Float.BYTES);
  }

  /** Rounds the numbers to the nearest of bf16, ties to even, and writes them. */
  void write(MemorySegment to, long offset, int count) {
    MemorySegment.copy(valueBytes, 0, bitBytes, 0, (long) count * Float.BYTES);
    for (int i = 0; i < count; i++) {
      stored[i] = (short) (bits[i] + 0x7fff + (bits[i] >>> 16 & 1) >>> 16);
    }
    MemorySegment.copy(stored, 0, to, ValueLayout.JAVA_SHORT_UNALIGNED, offset, count);
  }
}
