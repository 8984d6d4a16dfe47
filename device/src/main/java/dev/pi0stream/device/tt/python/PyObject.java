package dev.pi0stream.device.tt.python;

import java.lang.foreign.MemorySegment;

/**
 * An object of Python: one that a {@link Frame} holds until it closes, or a {@link PyReference}
 * that outlives frames. Using it later is an {@link IllegalStateException}.
 */
public abstract sealed class PyObject permits PyLocal, PyReference {
  private final MemorySegment pointer;

  PyObject(MemorySegment pointer) {
    this.pointer = pointer;
  }

  /** The object, whether it is held or not. */
  final MemorySegment address() {
    return pointer;
  }

  /**
   * The object, for use under the GIL.
   *
   * @throws IllegalStateException where it is no longer held
   */
  abstract MemorySegment pointer();
}
