package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceLayer;
import dev.pi0stream.device.GatedLinear;

/** The gate and up weights of a GeGLU on the heap, transposed. */
final class HeapGatedLinear extends DeviceLayer implements GatedLinear {
  private final float[] gate; // (input, output)
  private final float[] up; // (input, output)

  HeapGatedLinear(int inputs, int outputs, float[] gate, float[] up) {
    super(inputs, outputs, (long) Float.BYTES * (gate.length + up.length));
    this.gate = gate;
    this.up = up;
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
