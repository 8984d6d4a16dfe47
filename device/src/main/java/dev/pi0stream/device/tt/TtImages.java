package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Images;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;

/** Pictures on the device: [pictures, 3, side, side], row after row. */
final class TtImages extends DeviceResource implements Images {
  private final int count;
  private final int side;
  private TtnnTensor pixels;

  TtImages(int count, int side, long bytes) {
    super(bytes);
    this.count = count;
    this.side = side;
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public int side() {
    return side;
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
