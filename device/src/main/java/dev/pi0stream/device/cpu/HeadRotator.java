package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.pi0stream.device.Heads;
import java.lang.foreign.MemorySegment;

/**
 * Rotates queries and keys. Rows are copied to arrays, since the compiler vectorises a loop over
 * arrays with one index, and not one over native memory that may overlap.
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
  void rotate(NativeTensor from, NativeTensor to, Bf16Row room, int start, int end) {
    int rotated = (heads.query() + heads.keyValue()) * heads.size();
    long valueBytes = (long) heads.keyValueColumns() * from.type().bytes();
    float[] row = room.values();
    for (int i = start; i < end; i++) {
      long offset = from.offset(i, 0);
      if (from.type() == DataType.BF16) {
        room.read(from.values(), offset, rotated);
      } else {
        MemorySegment.copy(from.values(), JAVA_FLOAT, offset, row, 0, rotated);
      }
      rotate(row, i, rotated);
      if (from.type() == DataType.BF16) {
        room.write(to.values(), offset, rotated);
      } else {
        MemorySegment.copy(row, 0, to.values(), JAVA_FLOAT, offset, rotated);
      }
      long values = from.offset(i, rotated);
      MemorySegment.copy(from.values(), values, to.values(), values, valueBytes);
    }
  }

  private void rotate(float[] row, int index, int rotated) {
    System.arraycopy(rotation.cosines(), index * half, cosines, 0, half);
    System.arraycopy(rotation.sines(), index * half, sines, 0, half);
    for (int head = 0; head < rotated; head += 2 * half) {
      System.arraycopy(row, head, first, 0, half);
      System.arraycopy(row, head + half, second, 0, half);
      for (int i = 0; i < half; i++) {
        rotatedFirst[i] = first[i] * cosines[i] - second[i] * sines[i];
      }
      for (int i = 0; i < half; i++) {
        rotatedSecond[i] = second[i] * cosines[i] + first[i] * sines[i];
      }
      System.arraycopy(rotatedFirst, 0, row, head, half);
      System.arraycopy(rotatedSecond, 0, row, head + half, half);
    }
  }
}
