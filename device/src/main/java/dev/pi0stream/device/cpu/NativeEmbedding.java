package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DType;
import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Embedding;
import dev.pi0stream.device.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A look-up table in the format that it was given in. */
final class NativeEmbedding extends DeviceResource implements Embedding {
  private final int entries;
  private final int columns;
  private final DType type;
  private final MemorySegment table; // (entry, column)
  private final float scale;
  private final short[] stored;

  NativeEmbedding(Parameter parameter, float scale) {
    super((long) parameter.rows() * parameter.columns() * parameter.type().bytes());
    this.entries = parameter.rows();
    this.columns = parameter.columns();
    this.type = parameter.type();
    this.scale = scale;
    this.stored = new short[columns];
    this.table = NativeMemory.allocate(bytes());
    MemorySegment.copy(parameter.data(), 0, table, 0, bytes());
  }

  @Override
  public int entries() {
    return entries;
  }

  @Override
  public int columns() {
    return columns;
  }

  /** Writes an entry, scaled. */
  void read(int entry, float[] row) {
    long first = (long) entry * columns;
    if (type == DType.F32) {
      MemorySegment.copy(table, ValueLayout.JAVA_FLOAT, first * Float.BYTES, row, 0, columns);
    } else {
      Parameters.widen(table, first, columns, type, stored, row);
    }
    for (int i = 0; i < columns; i++) {
      row[i] *= scale;
    }
  }

  @Override
  protected void free() {
    NativeMemory.free(table);
  }
}
