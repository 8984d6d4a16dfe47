package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Norm;
import java.lang.foreign.MemorySegment;

/** The weights of a norm: what a row is multiplied by, and what is added. */
final class NativeNorm extends DeviceResource implements Norm {
  private final int columns;
  private final MemorySegment factor; // (column)
  private final MemorySegment bias; // (column); null for none
  private final float epsilon;

  NativeNorm(int columns, MemorySegment factor, MemorySegment bias, float epsilon) {
    super((long) columns * Float.BYTES * (bias == null ? 1 : 2));
    this.columns = columns;
    this.factor = factor;
    this.bias = bias;
    this.epsilon = epsilon;
  }

  @Override
  public int columns() {
    return columns;
  }

  MemorySegment factor() {
    return factor;
  }

  MemorySegment bias() {
    return bias;
  }

  float epsilon() {
    return epsilon;
  }

  @Override
  protected void free() {
    NativeMemory.free(factor);
    if (bias != null) {
      NativeMemory.free(bias);
    }
  }
}
