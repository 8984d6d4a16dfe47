package dev.pi0stream.device.tt.python;

import java.lang.foreign.MemorySegment;

/** An object that its frame holds. */
final class PyLocal extends PyObject {
  private final Frame frame;

  PyLocal(Frame frame, MemorySegment pointer) {
    super(pointer);
    this.frame = frame;
  }

  @Override
  MemorySegment pointer() {
    frame.check();
    return address();
  }

  @Override
  public String toString() {
    return "an object of Python in a frame";
  }
}
