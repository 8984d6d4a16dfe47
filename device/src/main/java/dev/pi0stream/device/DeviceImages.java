package dev.pi0stream.device;

/** What the {@link Images} of every back end share: their number and size. */
public abstract class DeviceImages extends DeviceResource implements Images {
  private final int count;
  private final int side;

  /** So many pictures of this side. */
  protected DeviceImages(int count, int side, long bytes) {
    super(bytes);
    this.count = count;
    this.side = side;
  }

  @Override
  public final int count() {
    return count;
  }

  @Override
  public final int side() {
    return side;
  }
}
