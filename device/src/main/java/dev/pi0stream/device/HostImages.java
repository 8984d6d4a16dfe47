package dev.pi0stream.device;

/** Pictures of a back end whose memory is the host's. */
public final class HostImages extends DeviceResource implements Images {
  private final float[] pixels; // (image, channel, row, column)
  private final int count;
  private final int side;

  HostImages(float[] pixels, int count, int side) {
    super((long) pixels.length * Float.BYTES);
    this.pixels = pixels.clone();
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

  /** For each picture channel, row, column; not to be changed. */
  public float[] pixels() {
    return pixels;
  }

  @Override
  protected void free() {}
}
