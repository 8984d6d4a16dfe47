package dev.pi0stream.device.tt;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.tt.ttnn.Shape;

/**
 * Heads as they lie on the device, each padded with zeros to whole tiles. The halves that a
 * rotation mixes are padded apart, so that they are the halves of the padded head as well.
 *
 * @param heads the heads
 * @param size the padded size of each
 */
record PaddedHeads(Heads heads, int size) {
  /** What {@code ttnn.experimental.rotary_embedding} wants of a head that is more than a tile. */
  private static final int ROTATED = 2 * Shape.TILE;

  /** Padded as little as possible; small ones so that they can be rotated too. */
  static PaddedHeads of(Heads heads) {
    boolean small = heads.size() <= ROTATED;
    return small ? rotated(heads) : new PaddedHeads(heads, Shape.padded(heads.size()));
  }

  /** Padded so that they can be rotated. */
  static PaddedHeads rotated(Heads heads) {
    boolean tile = heads.size() <= Shape.TILE;
    int size = tile ? Shape.TILE : Math.ceilDiv(heads.size(), ROTATED) * ROTATED;
    return new PaddedHeads(heads, size);
  }

  PaddedHeads withoutQueries() {
    return new PaddedHeads(heads.withoutQueries(), size);
  }

  int queryColumns() {
    return heads.query() * size;
  }

  int keyValueColumns() {
    return heads.keyValue() * size;
  }

  /** Columns of a packed projection. */
  int columns() {
    return queryColumns() + 2 * keyValueColumns();
  }

  /** Where column {@code column} of some heads, one behind the other, lies. */
  int at(int column) {
    int head = column / heads.size();
    int within = column % heads.size();
    int half = heads.size() / 2;
    boolean second = heads.size() % 2 == 0 && within >= half;
    return head * size + (second ? size / 2 + within - half : within);
  }

  /** The scale of the scores. */
  double scale() {
    return 1 / Math.sqrt(heads.size());
  }

  /**
   * What weights of queries are multiplied by: the scale where that is a power of two and so costs
   * no precision, else 1. TTNN multiplies a mask at every call where a scale is left.
   */
  float foldedScale() {
    float scale = (float) scale();
    boolean exact = (Float.floatToIntBits(scale) & 0x7fffff) == 0 && scale == scale();
    return exact ? scale : 1;
  }
}
