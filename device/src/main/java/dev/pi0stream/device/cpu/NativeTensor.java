package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * A row-major fp32 matrix in a block of the pool. The block has room for {@link #computedRows}, a
 * few more than there are: operations that treat each row alone compute them too, with whatever
 * numbers are in them, so that batches of about the same number of rows share compiled primitives.
 */
final class NativeTensor extends DeviceResource implements Tensor {
  private final Sequences sequences;
  private final int columns;
  private final MemoryPool pool;
  private final MemorySegment block; // (row, column)

  NativeTensor(Sequences sequences, int columns, MemoryPool pool) {
    super((long) sequences.rows() * columns * Float.BYTES);
    this.sequences = sequences;
    this.columns = columns;
    this.pool = pool;
    this.block = pool.take((long) computedRows() * columns * Float.BYTES);
  }

  @Override
  public Sequences sequences() {
    return sequences;
  }

  @Override
  public int columns() {
    return columns;
  }

  /** The number of rows, rounded up to a sixteenth of the next lower power of two. */
  int computedRows() {
    int rows = rows();
    int step = Math.max(1, Integer.highestOneBit(rows) / 16);
    return (rows + step - 1) / step * step;
  }

  MemorySegment values() {
    return block;
  }

  long address() {
    return block.address();
  }

  /** The address of a number. */
  long address(int row, int column) {
    return block.address() + offset(row, column);
  }

  /** Where a number stands in {@link #values}, in bytes. */
  long offset(int row, int column) {
    return ((long) row * columns + column) * Float.BYTES;
  }

  @Override
  protected void free() {
    pool.give(block);
  }
}
