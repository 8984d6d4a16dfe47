package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.pi0stream.device.Heads;
import java.lang.foreign.MemorySegment;

/**
 * Rotates queries and keys. Rows are copied to arrays, since the compiler vectorises a loop over
 * arrays with one index, and not one over native memory that may overlap. Of bf16 numbers, those at
 * even and at odd places are rotated apart; they never mix where half a head is an even number.
 */
final class HeadRotator {
  /** From so many numbers on, copying costs less than it saves. */
  private static final int VECTORISED = 32;

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

  /** Whether bf16 rows can be rotated as they are. */
  static boolean rotatesHalves(Heads heads) {
    return heads.size() % 4 == 0;
  }

  /** Rotates rows {@code start} to {@code end} (exclusive) and copies their values. */
  void rotate(NativeTensor from, NativeTensor to, Bf16Row room, int start, int end) {
    int rotated = (heads.query() + heads.keyValue()) * heads.size();
    long valueBytes = (long) heads.keyValueColumns() * from.type().bytes();
    for (int row = start; row < end; row++) {
      long offset = from.offset(row, 0);
      if (from.type() == DataType.BF16) {
        room.read(from.values(), offset, rotated / 2);
        angles(rotation.evenCosines(), rotation.evenSines(), row, half / 2);
        rotate(room.even(), rotated / 2, half / 2);
        angles(rotation.oddCosines(), rotation.oddSines(), row, half / 2);
        rotate(room.odd(), rotated / 2, half / 2);
        room.write(to.values(), offset, rotated / 2);
      } else {
        MemorySegment.copy(from.values(), JAVA_FLOAT, offset, room.single(), 0, rotated);
        angles(rotation.cosines(), rotation.sines(), row, half);
        rotate(room.single(), rotated, half);
        MemorySegment.copy(room.single(), 0, to.values(), JAVA_FLOAT, offset, rotated);
      }
      long values = from.offset(row, rotated);
      MemorySegment.copy(from.values(), values, to.values(), values, valueBytes);
    }
  }

  private void angles(float[] allCosines, float[] allSines, int row, int count) {
    System.arraycopy(allCosines, row * count, cosines, 0, count);
    System.arraycopy(allSines, row * count, sines, 0, count);
  }

  private void rotate(float[] row, int columns, int count) {
    if (count < VECTORISED) {
      for (int head = 0; head < columns; head += 2 * count) {
        for (int i = 0; i < count; i++) {
          float before = row[head + i];
          float behind = row[head + count + i];
          row[head + i] = before * cosines[i] - behind * sines[i];
          row[head + count + i] = behind * cosines[i] + before * sines[i];
        }
      }
      return;
    }
    for (int head = 0; head < columns; head += 2 * count) {
      System.arraycopy(row, head, first, 0, count);
      System.arraycopy(row, head + count, second, 0, count);
      for (int i = 0; i < count; i++) {
        rotatedFirst[i] = first[i] * cosines[i] - second[i] * sines[i];
      }
      for (int i = 0; i < count; i++) {
        rotatedSecond[i] = second[i] * cosines[i] + first[i] * sines[i];
      }
      System.arraycopy(rotatedFirst, 0, row, head, count);
      System.arraycopy(rotatedSecond, 0, row, head + count, count);
    }
  }
}
