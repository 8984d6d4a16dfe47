package dev.pi0stream.device.reference;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Embedding;

/** A look-up table on the heap. */
final class HeapEmbedding extends DeviceResource implements Embedding {
  private final int entries;
  private final int columns;
  private final float[] table; // (entry, column)
  private final float scale;

  HeapEmbedding(int entries, int columns, float[] table, float scale) {
    super((long) Float.BYTES * table.length);
    this.entries = entries;
    this.columns = columns;
    this.table = table;
    this.scale = scale;
  }

  @Override
  public int entries() {
    return entries;
  }

  @Override
  public int columns() {
    return columns;
  }

  float[] table() {
    return table;
  }

  float scale() {
    return scale;
  }

  @Override
  protected void free() {}
}
