package dev.pi0stream.device;

import dev.pi0stream.device.reference.ReferenceDevice;

/** The reference against itself: what is left are shapes, lifetimes and independence of batches. */
class ReferenceContractTest extends DeviceContract {
  @Override
  protected Device open() {
    return new ReferenceDevice();
  }

  @Override
  protected double tolerance() {
    return 0;
  }

  @Override
  protected double productTolerance() {
    return 0;
  }

  @Override
  protected float batchTolerance() {
    return 0;
  }
}
