package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Embedding;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;

/** A look-up table on the device, row after row. */
final class TtEmbedding extends DeviceResource implements Embedding {
  private final TtnnTensor table; // [1, 1, entries, columns]
  private final float scale;

  TtEmbedding(TtnnTensor table, float scale) {
    super(table.bytes());
    this.table = table;
    this.scale = scale;
  }

  @Override
  public int entries() {
    return table.shape().get(-2);
  }

  @Override
  public int columns() {
    return table.shape().get(-1);
  }

  TtnnTensor table() {
    return table;
  }

  float scale() {
    return scale;
  }

  @Override
  protected void free() {
    table.close();
  }
}
