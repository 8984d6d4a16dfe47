package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Sequences;

/** Cosines and sines, on the heap where the loop that reads them vectorises. */
final class CpuRotation extends DeviceResource implements Rotation {
  private final Sequences sequences;
  private final int size;
  private final float[] cosines; // (row, size/2)
  private final float[] sines; // (row, size/2)

  CpuRotation(int[] positions, Sequences sequences, int size, double base) {
    super(2L * Float.BYTES * positions.length * (size / 2));
    int half = size / 2;
    this.sequences = sequences;
    this.size = size;
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
  }

  @Override
  public Sequences sequences() {
    return sequences;
  }

  @Override
  public int size() {
    return size;
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
