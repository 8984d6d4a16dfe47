package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Norm;

/** The weights of a norm on the heap: what a row is multiplied by, and what is added. */
final class HeapNorm extends DeviceResource implements Norm {
  private final float[] factor; // (column)
  private final float[] bias; // (column); null for none
  private final float epsilon;

  HeapNorm(float[] factor, float[] bias, float epsilon) {
    super((long) Float.BYTES * (factor.length + (bias == null ? 0 : bias.length)));
    this.factor = factor;
    this.bias = bias;
    this.epsilon = epsilon;
  }

  @Override
  public int columns() {
    return factor.length;
  }

  float[] factor() {
    return factor;
  }

  float[] bias() {
    return bias;
  }

  float epsilon() {
    return epsilon;
  }

  @Override
  protected void free() {}
}
