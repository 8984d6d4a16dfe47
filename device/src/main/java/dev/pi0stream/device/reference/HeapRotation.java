package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceRotation;
import dev.pi0stream.device.Sequences;

/** Cosines and sines on the heap. */
final class HeapRotation extends DeviceRotation {
  private final float[] cosines; // (row, size/2)
  private final float[] sines; // (row, size/2)

  HeapRotation(Sequences sequences, int size, float[] cosines, float[] sines) {
    super(sequences, size, (long) Float.BYTES * (cosines.length + sines.length));
    this.cosines = cosines;
    this.sines = sines;
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
