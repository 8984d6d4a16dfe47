package dev.pi0stream.device;

import dev.pi0stream.device.tt.TestChips;

/** Over a double of {@code ttnn} that rounds as a card does, with bfloat16 weights. */
class TtBf16ContractTest extends DeviceContract {
  @Override
  protected Device open() {
    return TestChips.open(TestChips.ROUNDED, Precision.BF16);
  }

  @Override
  protected double productTolerance() {
    return 3e-2;
  }

  @Override
  protected double exactProductTolerance() {
    return 3e-2;
  }

  /** What flows between operations has 8 bits. */
  @Override
  protected double tolerance() {
    return 2e-2;
  }

  /** Rounded once, or twice where a table is scaled. */
  @Override
  protected float movedTolerance() {
    return 1f / 128;
  }

  @Override
  protected double bigScoreTolerance() {
    return 2;
  }

  @Override
  protected float batchTolerance() {
    return 3e-2f;
  }

  @Override
  protected long bytes(Tensor tensor) {
    return tileBytes(tensor);
  }

  /** Rows and columns in whole tiles. */
  static long tileBytes(Tensor tensor) {
    return (long) Math.ceilDiv(tensor.rows(), 32)
        * (long) Math.ceilDiv(tensor.columns(), 32)
        * 32L
        * 32
        * Float.BYTES;
  }
}
