package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceTensor;
import dev.pi0stream.device.Sequences;
import java.lang.foreign.MemorySegment;

/**
 * A row-major matrix of fp32 or bf16 numbers in a block of the pool. The block has room for {@link
 * #computedRows}, a few more than there are: operations that treat each row alone compute them too,
 * with whatever numbers are in them, so that batches of about the same number of rows share
 * compiled primitives.
 */
final class NativeTensor extends DeviceTensor {
  /** Rows are rounded up to this part of the next lower power of two. */
  private static final int STEPS = 32;

  private final DataType type;
  private final MemoryPool pool;
  private final MemorySegment block; // (row, column)

  NativeTensor(DataType type, Sequences sequences, int columns, MemoryPool pool) {
    super(sequences, columns, (long) sequences.rows() * columns * type.bytes());
    this.type = type;
    this.pool = pool;
    int rows = sequences.rows();
    // Attention computes the rows of a sequence in blocks, and the last of them may be longer.
    long room = (long) computed(rows) + rows / Attention.BLOCK;
    this.block = pool.take(room * columns * type.bytes());
  }

  /** The format of its numbers. */
  DataType type() {
    return type;
  }

  /** The number of rows that are computed. */
  int computedRows() {
    return computed(rows());
  }

  /** A number of rows, rounded up so that few different ones are left. */
  static int computed(int rows) {
    int step = Math.max(1, Integer.highestOneBit(rows) / STEPS);
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
    return ((long) row * columns() + column) * type.bytes();
  }

  @Override
  protected void free() {
    pool.give(block);
  }
}
