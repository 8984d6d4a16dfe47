package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Blocks for tensors. Freed blocks are kept and given out again, so that a step that was run before
 * allocates nothing; sizes are rounded up to eighths of a power of two, so that rows which vary a
 * little share blocks.
 */
final class MemoryPool implements AutoCloseable {
  private final long idleLimit;
  private final Map<Long, Deque<MemorySegment>> idle = new HashMap<>();
  private long idleBytes;

  /**
   * An empty pool.
   *
   * @param idleLimit bytes that it keeps; what is freed beyond goes back to the system
   */
  MemoryPool(long idleLimit) {
    this.idleLimit = idleLimit;
  }

  /** A block of at least so many bytes, with arbitrary content. */
  MemorySegment take(long bytes) {
    long size = blockSize(bytes);
    Deque<MemorySegment> blocks = idle.get(size);
    if (blocks == null || blocks.isEmpty()) {
      return NativeMemory.allocate(size);
    }
    idleBytes -= size;
    return blocks.pop();
  }

  /** Takes a block back. */
  void give(MemorySegment block) {
    long size = block.byteSize();
    if (idleBytes + size > idleLimit) {
      NativeMemory.free(block);
    } else {
      idleBytes += size;
      idle.computeIfAbsent(size, ignored -> new ArrayDeque<>()).push(block);
    }
  }

  /** Bytes that are kept and not in use. */
  long idleBytes() {
    return idleBytes;
  }

  static long blockSize(long bytes) {
    long step = Math.max(NativeMemory.ALIGNMENT, Long.highestOneBit(bytes) / 8);
    return Math.max(step, (bytes + step - 1) / step * step);
  }

  @Override
  public void close() {
    idle.values().forEach(blocks -> blocks.forEach(NativeMemory::free));
    idle.clear();
    idleBytes = 0;
  }
}
