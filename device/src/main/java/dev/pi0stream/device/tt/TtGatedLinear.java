package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.tt.ttnn.Fidelity;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;

/** The two projections of a GeGLU on the device, gate and up side by side, each in whole tiles. */
final class TtGatedLinear extends DeviceResource implements GatedLinear {
  private final TtnnTensor weights; // [1, 1, inputs, 2 · padded outputs]
  private final Fidelity fidelity;
  private final int inputs;
  private final int outputs;

  TtGatedLinear(TtnnTensor weights, Fidelity fidelity, int inputs, int outputs) {
    super(weights.bytes());
    this.weights = weights;
    this.fidelity = fidelity;
    this.inputs = inputs;
    this.outputs = outputs;
  }

  @Override
  public int inputs() {
    return inputs;
  }

  @Override
  public int outputs() {
    return outputs;
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
