package dev.pi0stream.device;

import dev.pi0stream.device.tt.TestChips;

/** Over a double of {@code ttnn} that rounds as a card does, with bfloat8_b weights. */
class TtBfp8ContractTest extends TtBf16ContractTest {
  @Override
  protected Device open() {
    return TestChips.open(TestChips.ROUNDED, Precision.BFP8);
  }

  /** 7 bits under one exponent for 16 numbers. */
  @Override
  protected double productTolerance() {
    return 1e-1;
  }

  /** Which numbers share an exponent depends on where their column lies. */
  @Override
  protected float batchTolerance() {
    return 1e-1f;
  }
}
