package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceIndices;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;

/** Indices on the device: [blocks, rows]. */
final class TtIndices extends DeviceIndices {
  private TtnnTensor numbers;

  TtIndices(int[] numbers, Sequences sequences, long bytes) {
    super(numbers, sequences, bytes);
  }

  TtnnTensor numbers() {
    return Inputs.bound(numbers);
  }

  void bind(TtnnTensor tensor) {
    numbers = tensor;
  }

  @Override
  protected void free() {
    if (numbers != null) {
      numbers.close();
    }
  }
}
