package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.tt.python.PyReference;
import java.util.List;

/**
 * Recorded operations with their tensors' addresses. What they read that was there before stays
 * allocated as long as this is not released; it is released when nobody else owns it any more.
 */
public final class DeviceTrace implements AutoCloseable {
  private final MeshDevice device;
  private final PyReference id;
  private final List<TtnnTensor> read;
  private final long made;
  private boolean closed;

  /**
   * A trace that owns what it reads, with others.
   *
   * @param made how many tensors the device had made when it was captured
   */
  DeviceTrace(MeshDevice device, PyReference id, List<TtnnTensor> read, long made) {
    this.device = device;
    this.id = id;
    this.read = read;
    this.made = made;
  }

  /** Whether it was released. */
  public boolean isClosed() {
    return closed;
  }

  /**
   * Whether a replay may overwrite something: it writes where the recorded operations wrote, also
   * to memory that was free again when the capture ended and is somebody's now.
   */
  public boolean isStale() {
    return device.holdsNewerThan(made);
  }

  /** Whether it reads a tensor that was there before. */
  boolean reads(TtnnTensor tensor) {
    return read.contains(tensor);
  }

  /** Starts the operations again, on what is in their tensors now; does not wait for them. */
  public void replay() {
    if (closed) {
      throw new IllegalStateException("a trace is replayed after its release");
    }
    if (isStale()) {
      throw new IllegalStateException(
          "a trace is replayed over memory that was allocated after its capture");
    }
    device.replay(id);
  }

  /** Releases it; releasing it again does nothing. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try {
        device.release(this, id);
      } finally {
        read.forEach(TtnnTensor::unpin);
      }
    }
  }
}
