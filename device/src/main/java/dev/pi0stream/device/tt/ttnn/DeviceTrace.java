package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.tt.python.PyReference;

/**
 * Recorded operations with their tensors' addresses. What they read and write has to stay allocated
 * as long as this is replayed.
 */
public final class DeviceTrace implements AutoCloseable {
  private final MeshDevice device;
  private final PyReference id;
  private boolean closed;

  DeviceTrace(MeshDevice device, PyReference id) {
    this.device = device;
    this.id = id;
  }

  /** Starts the operations again, on what is in their tensors now; does not wait for them. */
  public void replay() {
    if (closed) {
      throw new IllegalStateException("a trace is replayed after its release");
    }
    device.replay(id);
  }

  /** Releases it; releasing it again does nothing. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      device.release(id);
    }
  }
}
