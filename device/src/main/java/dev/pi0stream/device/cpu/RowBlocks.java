package dev.pi0stream.device.cpu;

import java.util.stream.IntStream;

/** Cuts rows into blocks, one for each thread, that plain Java computes at the same time. */
final class RowBlocks {
  /** So many numbers are worth handing to other threads. */
  private static final long PARALLEL_WORK = 1 << 16;

  private final int threads;
  private final Bf16Row[] rows;

  RowBlocks(int threads) {
    this.threads = threads;
    this.rows = new Bf16Row[threads];
  }

  /** Computes rows {@code first} to {@code end} (exclusive). */
  @FunctionalInterface
  interface Action {
    /**
     * Called on different threads.
     *
     * @param room of the block's own, for a row
     */
    void compute(Bf16Row room, int first, int end);
  }

  /** Computes all rows. */
  void forEach(int count, int columns, Action action) {
    int blocks = (long) count * columns < PARALLEL_WORK ? 1 : Math.min(count, threads);
    if (blocks == 1) {
      action.compute(room(0, columns), 0, count);
      return;
    }
    IntStream.range(0, blocks)
        .parallel()
        .forEach(
            block -> {
              int first = (int) ((long) count * block / blocks);
              int end = (int) ((long) count * (block + 1) / blocks);
              action.compute(room(block, columns), first, end);
            });
  }

  private Bf16Row room(int block, int columns) {
    if (rows[block] == null || rows[block].capacity() < columns) {
      rows[block] = new Bf16Row(columns);
    }
    return rows[block];
  }
}
