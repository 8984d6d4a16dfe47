package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Sequences;

/** Cosines and sines on the heap. */
final class HeapRotation extends DeviceResource implements Rotation {
  private final Sequences sequences;
  private final int size;
  private final float[] cosines; // (row, size/2)
  private final float[] sines; // (row, size/2)

  HeapRotation(Sequences sequences, int size, float[] cosines, float[] sines) {
    super((long) Float.BYTES * (cosines.length + sines.length));
    this.sequences = sequences;
    this.size = size;
    this.cosines = cosines;
    this.sines = sines;
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
