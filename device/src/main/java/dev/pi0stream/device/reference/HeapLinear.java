package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Linear;

/** A linear layer's weights on the heap, transposed so that a row of outputs is summed at once. */
final class HeapLinear extends DeviceResource implements Linear {
  private final int inputs;
  private final int outputs;
  private final float[] weights; // (input, output)
  private final float[] bias; // (output); null for none

  HeapLinear(int inputs, int outputs, float[] weights, float[] bias) {
    super((long) Float.BYTES * (weights.length + (bias == null ? 0 : bias.length)));
    this.inputs = inputs;
    this.outputs = outputs;
    this.weights = weights;
    this.bias = bias;
  }

  @Override
  public int inputs() {
    return inputs;
  }

  @Override
  public int outputs() {
    return outputs;
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
