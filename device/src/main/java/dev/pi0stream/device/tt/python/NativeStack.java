package dev.pi0stream.device.tt.python;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * A thread's memory for arguments. What a call needs is pushed and popped with it, so that no call
 * allocates; what is too large for the stack is left to the garbage collector.
 */
final class NativeStack implements SegmentAllocator {
  private static final long BYTES = 16 << 10;

  private final MemorySegment memory = Arena.ofAuto().allocate(BYTES, 64);
  private long top;

  /** Where the next allocation starts; {@link #pop} takes it back. */
  long mark() {
    return top;
  }

  /** Frees what was allocated after {@link #mark} returned this. */
  void pop(long mark) {
    top = mark;
  }

  /** Memory with arbitrary content. */
  @Override
  public MemorySegment allocate(long bytes, long alignment) {
    long start = (top + alignment - 1) & -alignment;
    if (bytes > BYTES - start) {
      return Arena.ofAuto().allocate(bytes, alignment);
    }
    top = start + bytes;
    return memory.asSlice(start, bytes);
  }

  /** The bytes of a text, which no zero ends. */
  MemorySegment utf8(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    MemorySegment segment = allocate(Math.max(bytes.length, 1), 1);
    MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return segment;
  }
}
