package dev.pi0stream.device;

/**
 * What every resource of a back end shares: its size, the scope that it belongs to and whether it
 * is still open. A back end extends it for its tensors and weights, and hands each new one to
 * {@link AbstractDevice#adopt}.
 */
public abstract class DeviceResource {
  private final long bytes;
  private Lifetimes owner;
  private Lifetimes.Frame frame;
  private boolean closed;

  /**
   * A resource that is open and belongs to no device yet.
   *
   * @param bytes what it takes on the device
   */
  protected DeviceResource(long bytes) {
    this.bytes = bytes;
  }

  /** What it takes on the device, in bytes. */
  public final long bytes() {
    return bytes;
  }

  /** Frees it; see {@link Resource#close()}. */
  public final void close() {
    if (!closed) {
      closed = true;
      if (owner != null) {
        owner.forget(this);
      }
      free();
    }
  }

  /** Gives its memory back; called once. */
  protected abstract void free();

  final boolean isClosed() {
    return closed;
  }

  final Lifetimes owner() {
    return owner;
  }

  final Lifetimes.Frame frame() {
    return frame;
  }

  final void belongTo(Lifetimes newOwner, Lifetimes.Frame newFrame) {
    owner = newOwner;
    frame = newFrame;
  }
}
