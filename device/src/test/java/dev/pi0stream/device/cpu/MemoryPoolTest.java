package dev.pi0stream.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class MemoryPoolTest {
  @Test
  void blocksAreAlignedAndAtMostAnEighthTooLarge() {
    try (MemoryPool pool = new MemoryPool(1 << 20)) {
      for (long bytes : new long[] {0, 1, 64, 65, 1000, 4097, 1_000_003}) {
        MemorySegment block = pool.take(bytes);
        assertThat(block.byteSize()).isBetween(bytes, Math.max(bytes + bytes / 8, bytes + 64));
        assertThat(block.address() % NativeMemory.ALIGNMENT).isZero();
        pool.give(block);
      }
    }
  }

  @Test
  void freedBlocksAreGivenOutAgain() {
    try (MemoryPool pool = new MemoryPool(1 << 20)) {
      MemorySegment block = pool.take(1000);
      pool.give(block);
      assertThat(pool.idleBytes()).isEqualTo(block.byteSize());
      MemorySegment again = pool.take(990);
      assertThat(again.address()).isEqualTo(block.address());
      assertThat(pool.idleBytes()).isZero();
      pool.give(again);
    }
  }

  @Test
  void whatIsFreedBeyondTheLimitGoesBackToTheSystem() {
    long before = NativeMemory.allocated();
    try (MemoryPool pool = new MemoryPool(1024)) {
      MemorySegment first = pool.take(1024);
      MemorySegment second = pool.take(1024);
      pool.give(first);
      pool.give(second);
      assertThat(pool.idleBytes()).isEqualTo(1024);
      assertThat(NativeMemory.allocated()).isEqualTo(before + 1024);
    }
    assertThat(NativeMemory.allocated()).isEqualTo(before);
  }
}
