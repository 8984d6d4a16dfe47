package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Tensor;
import java.lang.foreign.MemorySegment;

/** A row-major fp32 matrix in a block of the pool. */
final class NativeTensor extends DeviceResource implements Tensor {
  private final int rows;
  private final int columns;
  private final MemoryPool pool;
  private final MemorySegment block; // (row, column)

  NativeTensor(int rows, int columns, MemoryPool pool) {
    super((long) rows * columns * Float.BYTES);
    this.rows = rows;
    this.columns = columns;
    this.pool = pool;
    this.block = pool.take(bytes());
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
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
