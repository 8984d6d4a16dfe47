package dev.pi0stream.device;

import dev.pi0stream.device.cpu.CpuDevice;

class CpuFp32ContractTest extends DeviceContract {
  @Override
  protected Device open() {
    return CpuDevice.open(Precision.FP32, 2);
  }

  @Override
  protected double productTolerance() {
    return 1e-5;
  }

  @Override
  protected float batchTolerance() {
    return 1e-5f;
  }
}
