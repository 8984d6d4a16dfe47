package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceLayer;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.tt.ttnn.Fidelity;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.stream.Stream;

/** A linear layer on the device. */
final class TtLinear extends DeviceLayer implements Linear {
  private final Matrix matrix;
  private final PaddedHeads inputHeads; // null: inputs are no heads
  private final PaddedHeads outputHeads; // null: outputs are no heads
  private final float queryScale;

  /**
   * What a product needs.
   *
   * @param weights [1, 1, inputs, outputs]
   * @param bias [1, 1, 1, outputs], or null
   */
  record Matrix(TtnnTensor weights, TtnnTensor bias, Fidelity fidelity) {
    long bytes() {
      return weights.bytes() + (bias == null ? 0 : bias.bytes());
    }

    void close() {
      Stream.of(weights, bias).filter(part -> part != null).forEach(TtnnTensor::close);
    }
  }

  TtLinear(
      Matrix matrix,
      int inputs,
      int outputs,
      PaddedHeads inputHeads,
      PaddedHeads outputHeads,
      float queryScale) {
    super(inputs, outputs, matrix.bytes());
    this.matrix = matrix;
    this.inputHeads = inputHeads;
    this.outputHeads = outputHeads;
    this.queryScale = queryScale;
  }

  Matrix matrix() {
    return matrix;
  }

  /** The heads that its inputs are; null where they are none. */
  PaddedHeads inputHeads() {
    return inputHeads;
  }

  /** The heads that its outputs are; null where they are none. */
  PaddedHeads outputHeads() {
    return outputHeads;
  }

  /** What its queries are multiplied by. */
  float queryScale() {
    return queryScale;
  }

  @Override
  protected void free() {
    matrix.close();
  }
}
