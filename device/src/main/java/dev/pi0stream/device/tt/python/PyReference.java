package dev.pi0stream.device.tt.python;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A strong reference to an object of Python, from {@link Frame#keep} until it is closed, on any
 * thread and in any frame.
 */
public final class PyReference extends PyObject implements AutoCloseable {
  private static final AtomicLong OPEN = new AtomicLong();

  // Both are read and written under the GIL only.
  private boolean closed;
  private int calls;

  /** Takes a new reference. */
  PyReference(MemorySegment pointer) {
    super(pointer);
    CPython.run(CPython.PY.incRef(), pointer);
    OPEN.incrementAndGet();
  }

  /** How many are open in this process. */
  static long open() {
    return OPEN.get();
  }

  @Override
  MemorySegment pointer() {
    if (closed) {
      throw new IllegalStateException("a reference to an object of Python is used after its close");
    }
    return address();
  }

  /** A call begins that uses the object: until its end a close, on another thread, waits. */
  MemorySegment enter() {
    MemorySegment pointer = pointer();
    calls++;
    return pointer;
  }

  /** A call that used the object has ended. */
  void leave() {
    calls--;
    if (closed && calls == 0) {
      CPython.run(CPython.PY.decRef(), address());
    }
  }

  /** Gives the object up; closing it again does nothing. */
  @Override
  public void close() {
    int state = CPython.status(CPython.PY.ensure());
    try {
      release();
    } finally {
      CPython.run(CPython.PY.release(), state);
    }
  }

  /** As {@link #close}, under the GIL. */
  void release() {
    if (!closed) {
      closed = true;
      OPEN.decrementAndGet();
      if (calls == 0) {
        CPython.run(CPython.PY.decRef(), address());
      }
    }
  }

  @Override
  public String toString() {
    return "a reference to an object of Python";
  }
}
