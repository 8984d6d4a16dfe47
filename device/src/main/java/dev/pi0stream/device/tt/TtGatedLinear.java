package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceLayer;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.tt.ttnn.Fidelity;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;

/** The two projections of a GeGLU on the device, gate and up side by side, each in whole tiles. */
final class TtGatedLinear extends DeviceLayer implements GatedLinear {
  private final TtnnTensor weights; // [1, 1, inputs, 2 · padded outputs]
  private final Fidelity fidelity;

  TtGatedLinear(TtnnTensor weights, Fidelity fidelity, int inputs, int outputs) {
    super(inputs, outputs, weights.bytes());
    this.weights = weights;
    this.fidelity = fidelity;
  }

  TtnnTensor weights() {
    return weights;
  }

  Fidelity fidelity() {
    return fidelity;
  }

  @Override
  protected void free() {
    weights.close();
  }
}
