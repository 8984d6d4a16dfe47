package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;

/** A row-major matrix on the heap. */
final class HeapTensor extends DeviceResource implements Tensor {
  private final Sequences sequences;
  private final int columns;
  private final float[] values; // (row, column)

  HeapTensor(Sequences sequences, int columns, float[] values) {
    super((long) Float.BYTES * values.length);
    this.sequences = sequences;
    this.columns = columns;
    this.values = values;
  }

  @Override
  public Sequences sequences() {
    return sequences;
  }

  @Override
  public int columns() {
    return columns;
  }

  float[] values() {
    return values;
  }

  @Override
  protected void free() {}
}
