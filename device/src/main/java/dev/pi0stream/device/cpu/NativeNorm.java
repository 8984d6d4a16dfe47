package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceNorm;
import java.lang.foreign.MemorySegment;

/** The weights of a norm: what a row is multiplied by, and what is added. */
final class NativeNorm extends DeviceNorm {
  private final MemorySegment factor; // (column)
  private final MemorySegment bias; // (column); null for none

  NativeNorm(int columns, MemorySegment factor, MemorySegment bias, float epsilon) {
    super(columns, epsilon, (long) columns * Float.BYTES * (bias == null ? 1 : 2));
    this.factor = factor;
    this.bias = bias;
  }

  MemorySegment factor() {
    return factor;
  }

  MemorySegment bias() {
    return bias;
  }

  @Override
  protected void free() {
    NativeMemory.free(factor);
    if (bias != null) {
      NativeMemory.free(bias);
    }
  }
}
