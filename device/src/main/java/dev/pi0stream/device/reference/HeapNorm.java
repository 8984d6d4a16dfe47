package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceNorm;

/** The weights of a norm on the heap: what a row is multiplied by, and what is added. */
final class HeapNorm extends DeviceNorm {
  private final float[] factor; // (column)
  private final float[] bias; // (column); null for none

  HeapNorm(float[] factor, float[] bias, float epsilon) {
    super(
        factor.length,
        epsilon,
        (long) Float.BYTES * (factor.length + (bias == null ? 0 : bias.length)));
    this.factor = factor;
    this.bias = bias;
  }

  float[] factor() {
    return factor;
  }

  float[] bias() {
    return bias;
  }

  @Override
  protected void free() {}
}
