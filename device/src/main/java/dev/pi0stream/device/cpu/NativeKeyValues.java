package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceKeyValues;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;
import java.lang.foreign.MemorySegment;

/** Keys and values in a block of the pool, fp32: for each layer all keys, then all values. */
final class NativeKeyValues extends DeviceKeyValues {
  private final MemoryPool pool;
  private final MemorySegment block; // (layer, keys or values, row, head, size)
  private final int width;

  NativeKeyValues(Sequences sequences, int layers, Heads heads, MemoryPool pool) {
    super(
        sequences,
        layers,
        heads,
        2L * Float.BYTES * layers * sequences.rows() * heads.keyValueColumns());
    this.pool = pool;
    this.width = heads.keyValueColumns();
    this.block = pool.take(bytes());
  }

  MemorySegment block() {
    return block;
  }

  long address() {
    return block.address();
  }

  /** Where a row's keys of a layer begin, in bytes. */
  long keyOffset(int layer, int row) {
    return (2L * layer * sequences().rows() + row) * width * Float.BYTES;
  }

  /** Where a row's values of a layer begin, in bytes. */
  long valueOffset(int layer, int row) {
    return ((2L * layer + 1) * sequences().rows() + row) * width * Float.BYTES;
  }

  @Override
  protected void free() {
    pool.give(block);
  }
}
