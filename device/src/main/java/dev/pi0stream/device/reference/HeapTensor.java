package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceTensor;
import dev.pi0stream.device.Sequences;

/** A row-major matrix on the heap. */
final class HeapTensor extends DeviceTensor {
  private final float[] values; // (row, column)

  HeapTensor(Sequences sequences, int columns, float[] values) {
    super(sequences, columns, (long) Float.BYTES * values.length);
    this.values = values;
  }

  float[] values() {
    return values;
  }

  @Override
  protected void free() {}
}
