package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.pi0stream.device.Heads;
import java.lang.foreign.MemorySegment;

/**
 * Rotates queries and keys. A head's halves are copied to arrays of their own, since the compiler
 * vectorises a loop over arrays with one index, and not one over native memory that may overlap.
 */
final class HeadRotator {
  private final Heads heads;
  private final CpuRotation rotation;
  private final int half;
  private final float[] first;
  private final float[] second;
  private final float[] cosines;
  private final float[] sines;
  private final float[] rotatedFirst;
  private final float[] rotatedSecond;

  HeadRotator(Heads heads, CpuRotation rotation) {
    this.heads = heads;
    this.rotation = rotation;
    half = heads.size() / 2;
    first = new float[half];
    second = new float[half];
    cosines = new float[half];
    sines = new float[half];
    rotatedFirst = new float[half];
    rotatedSecond = new float[half];
  }

  /** Rotates rows {@code start} to {@code end} (exclusive) and copies their values. */
  void rotate(NativeTensor from, NativeTensor to, int start, int end) {
    int rotated = heads.query() + heads.keyValue();
    long halfBytes = (long) half * Float.BYTES;
    long valueBytes = (long) heads.keyValueColumns() * Float.BYTES;
    for (int row = start; row < end; row++) {
      System.arraycopy(rotation.cosines(), row * half, cosines, 0, half);
      System.arraycopy(rotation.sines(), row * half, sines, 0, half);
      for (int head = 0; head < rotated; head++) {
        long offset = from.offset(row, head * heads.size());
        MemorySegment.copy(from.values(), JAVA_FLOAT, offset, first, 0, half);
        MemorySegment.copy(from.values(), JAVA_FLOAT, offset + halfBytes, second, 0, half);
        for (int i = 0; i < half; i++) {
          rotatedFirst[i] = first[i] * cosines[i] - second[i] * sines[i];
        }
        for (int i = 0; i < half; i++) {
          rotatedSecond[i] = second[i] * cosines[i] + first[i] * sines[i];
        }
        MemorySegment.copy(rotatedFirst, 0, to.values(), JAVA_FLOAT, offset, half);
        MemorySegment.copy(rotatedSecond, 0, to.values(), JAVA_FLOAT, offset + halfBytes, half);
      }
      long values = from.offset(row, rotated * heads.size());
      MemorySegment.copy(from.values(), values, to.values(), values, valueBytes);
    }
  }
}
