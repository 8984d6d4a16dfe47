package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;

/** Memory for values that do not outlive an operation. It grows to the largest it was asked for. */
final class Workspace implements AutoCloseable {
  private MemorySegment memory = MemorySegment.NULL;

  /** Room for so many bytes; what was in it before may be gone. */
  MemorySegment reserve(long bytes) {
    if (bytes > memory.byteSize()) {
      close();
      memory = NativeMemory.allocate(bytes);
    }
    return memory;
  }

  /** The address of {@link #reserve}. */
  long address(long bytes) {
    return reserve(bytes).address();
  }

  @Override
  public void close() {
    if (memory.address() != 0) {
      NativeMemory.free(memory);
      memory = MemorySegment.NULL;
    }
  }
}
