package dev.pi0stream.device;

/** Pictures of a back end whose memory is the host's. */
public final class HostImages extends DeviceImages {
  private final float[] pixels; // (image, channel, row, column)

  HostImages(float[] pixels, int count, int side) {
    super(count, side, (long) pixels.length * Float.BYTES);
    this.pixels = pixels.clone();
  }

  /** For each picture channel, row, column; not to be changed. */
  public float[] pixels() {
    return pixels;
  }

  @Override
  protected void free() {}
}
