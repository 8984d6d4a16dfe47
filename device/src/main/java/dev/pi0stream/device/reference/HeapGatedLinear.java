package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.GatedLinear;

/** The gate and up weights of a GeGLU on the heap, transposed. */
final class HeapGatedLinear extends DeviceResource implements GatedLinear {
  private final int inputs;
  private final int outputs;
  private final float[] gate; // (input, output)
  private final float[] up; // (input, output)

  HeapGatedLinear(int inputs, int outputs, float[] gate, float[] up) {
    super((long) Float.BYTES * (gate.length + up.length));
    this.inputs = inputs;
    this.outputs = outputs;
    this.gate = gate;
    this.up = up;
  }

  @Override
  public int inputs() {
    return inputs;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  float[] gate() {
    return gate;
  }

  float[] up() {
    return up;
  }

  @Override
  protected void free() {}
}
