package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceLayer;
import dev.pi0stream.device.Linear;
import java.lang.foreign.MemorySegment;

/** The packed weights of a linear layer, and its bias in fp32. */
final class PackedLinear extends DeviceLayer implements Linear {
  private final PackedMatrix matrix;
  private final MemorySegment bias; // (output); null for none

  PackedLinear(PackedMatrix matrix, MemorySegment bias) {
    super(
        matrix.inputs(),
        matrix.outputs(),
        matrix.bytes() + (bias == null ? 0 : (long) matrix.outputs() * Float.BYTES));
    this.matrix = matrix;
    this.bias = bias;
  }

  PackedMatrix matrix() {
    return matrix;
  }

  MemorySegment bias() {
    return bias;
  }

  @Override
  protected void free() {
    matrix.free();
    if (bias != null) {
      NativeMemory.free(bias);
    }
  }
}
