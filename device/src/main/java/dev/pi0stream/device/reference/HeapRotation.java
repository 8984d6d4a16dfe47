package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Rotation;

/** Cosines and sines on the heap. */
final class HeapRotation extends DeviceResource implements Rotation {
  private final int rows;
  private final int size;
  private final float[] cosines; // (row, size/2)
  private final float[] sines; // (row, size/2)

  HeapRotation(int rows, int size, float[] cosines, float[] sines) {
    super((long) Float.BYTES * (cosines.length + sines.length));
    this.rows = rows;
    this.size = size;
    this.cosines = cosines;
    this.sines = sines;
  }

  @Override
  public int rows() {
    return rows;
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
