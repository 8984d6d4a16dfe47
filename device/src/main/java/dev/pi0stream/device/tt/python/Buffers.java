package dev.pi0stream.device.tt.python;

import static dev.pi0stream.device.tt.python.CPython.PY;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Memory of Python's objects, by the buffer protocol; closed under the GIL. */
@SuppressWarnings("restricted")
final class Buffers implements AutoCloseable {
  // Py_buffer, part of the stable ABI since 3.11: buf, obj, len, itemsize, readonly, ndim, format,
  // shape, strides, suboffsets, internal.
  private static final long BYTES = 80;
  private static final long ALIGNMENT = 8;
  private static final long DATA = 0;
  private static final long LENGTH = 16;

  /** A contiguous buffer, its bytes only: PyBUF_SIMPLE. */
  private static final int SIMPLE = 0;

  private final Arena arena = Arena.ofConfined();
  private final List<MemorySegment> views = new ArrayList<>();

  /** What an object's buffer holds, until this is closed. */
  MemorySegment view(MemorySegment object) {
    MemorySegment view = arena.allocate(BYTES, ALIGNMENT);
    if (CPython.getBuffer(object, view, SIMPLE) != 0) {
      throw PythonException.raised();
    }
    views.add(view);
    long length = view.get(ValueLayout.JAVA_LONG, LENGTH);
    return view.get(ValueLayout.ADDRESS, DATA).reinterpret(length, arena, null).asReadOnly();
  }

  @Override
  public void close() {
    for (MemorySegment view : views) {
      CPython.run(PY.releaseBuffer(), view);
    }
    arena.close();
  }
}
