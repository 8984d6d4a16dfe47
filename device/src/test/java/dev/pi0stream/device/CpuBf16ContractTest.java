package dev.pi0stream.device;

import dev.pi0stream.device.cpu.CpuDevice;

class CpuBf16ContractTest extends DeviceContract {
  @Override
  protected Device open() {
    return CpuDevice.open(Precision.BF16, 2);
  }

  @Override
  protected float stored(float value) {
    return bf16(value);
  }

  /** What goes from one product to the next is rounded to 8 bits. */
  @Override
  protected double tolerance() {
    return 1e-2;
  }

  /** Operands have 8 bits: an error of 2⁻⁹ each, that adds up like noise. */
  @Override
  protected double productTolerance() {
    return 2e-2;
  }

  /** Sums in another order may fall on the other side of a rounding to bf16. */
  @Override
  protected float batchTolerance() {
    return 2e-2f;
  }
}
