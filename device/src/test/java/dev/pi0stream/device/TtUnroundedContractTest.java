package dev.pi0stream.device;

import dev.pi0stream.device.tt.TestChips;

/** Over a double of {@code ttnn} that does not round: the operations are the right ones. */
class TtUnroundedContractTest extends DeviceContract {
  @Override
  protected Device open() {
    return TestChips.open(TestChips.UNROUNDED, Precision.BF16);
  }

  @Override
  protected double productTolerance() {
    return 1e-5;
  }

  @Override
  protected double tolerance() {
    return 5e-6;
  }

  @Override
  protected float batchTolerance() {
    return 1e-5f;
  }

  @Override
  protected long bytes(Tensor tensor) {
    return TtBf16ContractTest.tileBytes(tensor);
  }
}
