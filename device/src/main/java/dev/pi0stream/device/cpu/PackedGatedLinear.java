package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceLayer;
import dev.pi0stream.device.GatedLinear;

/** The packed gate and up weights of a GeGLU. */
final class PackedGatedLinear extends DeviceLayer implements GatedLinear {
  private final PackedMatrix gate;
  private final PackedMatrix up;

  PackedGatedLinear(PackedMatrix gate, PackedMatrix up) {
    super(gate.inputs(), gate.outputs(), gate.bytes() + up.bytes());
    this.gate = gate;
    this.up = up;
  }

  PackedMatrix gate() {
    return gate;
  }

  PackedMatrix up() {
    return up;
  }

  @Override
  protected void free() {
    gate.free();
    up.free();
  }
}
