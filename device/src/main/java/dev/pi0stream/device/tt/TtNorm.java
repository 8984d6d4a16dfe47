package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceNorm;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.stream.Stream;

/** A norm's weights on the device, each [1, 1, 1, columns]; 1 is added to an RMSNorm's. */
final class TtNorm extends DeviceNorm {
  private final TtnnTensor factor; // null: 1
  private final TtnnTensor bias; // null: 0

  TtNorm(TtnnTensor factor, TtnnTensor bias, int columns, float epsilon) {
    super(
        columns,
        epsilon,
        Stream.of(factor, bias).mapToLong(part -> part == null ? 0 : part.bytes()).sum());
    this.factor = factor;
    this.bias = bias;
  }

  TtnnTensor factor() {
    return factor;
  }

  TtnnTensor bias() {
    return bias;
  }

  @Override
  protected void free() {
    Stream.of(factor, bias).filter(part -> part != null).forEach(TtnnTensor::close);
  }
}
