package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceLayer;
import dev.pi0stream.device.Linear;

/** A linear layer's weights on the heap, transposed so that a row of outputs is summed at once. */
final class HeapLinear extends DeviceLayer implements Linear {
  private final float[] weights; // (input, output)
  private final float[] bias; // (output); null for none

  HeapLinear(int inputs, int outputs, float[] weights, float[] bias) {
    super(
        inputs, outputs, (long) Float.BYTES * (weights.length + (bias == null ? 0 : bias.length)));
    this.weights = weights;
    this.bias = bias;
  }

  float[] weights() {
    return weights;
  }

  float[] bias() {
    return bias;
  }

  @Override
  protected void free() {}
}
