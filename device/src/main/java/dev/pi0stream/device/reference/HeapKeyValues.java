package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceKeyValues;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;

/** Keys and values on the heap. */
final class HeapKeyValues extends DeviceKeyValues {
  private final float[][] keys; // (layer, row × head × size)
  private final float[][] values; // (layer, row × head × size)

  HeapKeyValues(Sequences sequences, int layers, Heads heads) {
    super(
        sequences,
        layers,
        heads,
        2L * Float.BYTES * layers * sequences.rows() * heads.keyValueColumns());
    int length = Math.multiplyExact(sequences.rows(), heads.keyValueColumns());
    this.keys = new float[layers][length];
    this.values = new float[layers][length];
  }

  float[] keys(int layer) {
    return keys[layer];
  }

  float[] values(int layer) {
    return values[layer];
  }

  @Override
  protected void free() {}
}
