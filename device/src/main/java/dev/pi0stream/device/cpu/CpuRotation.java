package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceRotation;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Sequences;

/** Cosines and sines, on the heap where the loop that reads them vectorises. */
final class CpuRotation extends DeviceRotation {
  private final float[] cosines; // (row, size/2)
  private final float[] sines; // (row, size/2)
  private final float[] evenCosines; // (row, size/4)
  private final float[] evenSines; // (row, size/4)
  private final float[] oddCosines; // (row, size/4)
  private final float[] oddSines; // (row, size/4)

  CpuRotation(int[] positions, Sequences sequences, int size, double base) {
    super(sequences, size, 4L * Float.BYTES * positions.length * (size / 2));
    int half = size / 2;
    this.cosines = new float[positions.length * half];
    this.sines = new float[positions.length * half];
    for (int i = 0; i < half; i++) {
      float frequency = Rotation.frequency(i, size, base);
      for (int row = 0; row < positions.length; row++) {
        float angle = positions[row] * frequency;
        cosines[row * half + i] = (float) Math.cos(angle);
        sines[row * half + i] = (float) Math.sin(angle);
      }
    }
    this.evenCosines = every(cosines, 0);
    this.evenSines = every(sines, 0);
    this.oddCosines = every(cosines, 1);
    this.oddSines = every(sines, 1);
  }

  /** Those at even, or odd, places of each row. */
  private float[] every(float[] ordered, int from) {
    int half = size() / 2;
    int rows = sequences().rows();
    float[] some = new float[rows * (half / 2)];
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < half / 2; i++) {
        some[row * (half / 2) + i] = ordered[row * half + 2 * i + from];
      }
    }
    return some;
  }

  /** The cosines at even places of each row. */
  float[] evenCosines() {
    return evenCosines;
  }

  /** The sines at even places of each row. */
  float[] evenSines() {
    return evenSines;
  }

  /** The cosines at odd places of each row. */
  float[] oddCosines() {
    return oddCosines;
  }

  /** The sines at odd places of each row. */
  float[] oddSines() {
    return oddSines;
  }

  float[] cosines() {
    return cosines;
  }

  float[] sines() {
    return sines;
  }

  @Override
  protected void free() {}
}
