package dev.pi0stream.device.tt.python;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Python's string objects as Java's. */
@SuppressWarnings("restricted")
final class Strings {
  private Strings() {}

  /** The text of a string object; null, and an exception in Python, where it is none. */
  static String decode(MemorySegment object) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment bytes = CPython.pointer(CPython.PY.utf8(), object, size);
      if (bytes.address() == 0) {
        return null;
      }
      long length = size.get(ValueLayout.JAVA_LONG, 0);
      return new String(
          bytes.reinterpret(length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
  }
}
