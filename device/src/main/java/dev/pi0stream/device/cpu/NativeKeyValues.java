package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceKeyValues;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;
import java.lang.foreign.MemorySegment;

/** Keys and values in a block of the pool: for each layer its rows, keys and values beside. */
final class NativeKeyValues extends DeviceKeyValues {
  private final DataType type;
  private final MemoryPool pool;
  private final MemorySegment block; // (layer, row, keys or values, head, size)
  private final long rowBytes;

  NativeKeyValues(DataType type, Sequences sequences, int layers, Heads heads, MemoryPool pool) {
    super(
        sequences,
        layers,
        heads,
        2L * type.bytes() * layers * sequences.rows() * heads.keyValueColumns());
    this.type = type;
    this.pool = pool;
    this.rowBytes = 2L * type.bytes() * heads.keyValueColumns();
    this.block = pool.take(bytes());
  }

  /** The format of its numbers. */
  DataType type() {
    return type;
  }

  MemorySegment block() {
    return block;
  }

  /** The bytes of a row's keys and values. */
  long rowBytes() {
    return rowBytes;
  }

  /** Where a row's keys of a layer begin, in bytes; its values stand behind them. */
  long offset(int layer, int row) {
    return ((long) layer * sequences().rows() + row) * rowBytes;
  }

  @Override
  protected void free() {
    pool.give(block);
  }
}
