package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceImages;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;

/** Pictures on the device: [pictures, 3, side, side], row after row. */
final class TtImages extends DeviceImages {
  private TtnnTensor pixels;

  TtImages(int count, int side, long bytes) {
    super(count, side, bytes);
  }

  TtnnTensor pixels() {
    return Inputs.bound(pixels);
  }

  void bind(TtnnTensor tensor) {
    pixels = tensor;
  }

  @Override
  protected void free() {
    if (pixels != null) {
      pixels.close();
    }
  }
}
