package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceKeyValues;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values on the device: for each sequence some segments, one behind the other, each
 * segment padded for itself. What attends them does not see where one ends.
 */
final class TtKeyValues extends DeviceKeyValues {
  private final List<Segment> segments = new ArrayList<>();

  /** Keys and values without a segment. */
  TtKeyValues(Sequences sequences, int layers, Heads heads) {
    super(sequences, layers, heads, bytes(sequences, layers, heads));
  }

  private static long bytes(Sequences sequences, int layers, Heads heads) {
    long columns = PaddedHeads.of(heads).keyValueColumns();
    return 2L * layers * Blocks.of(sequences).total() * columns * Short.BYTES;
  }

  /** Puts a segment, which becomes its own, behind those that it has. */
  void append(Segment segment) {
    segments.add(segment);
  }

  /** Has the same layers stored as others have. */
  void fillAs(TtKeyValues others) {
    for (int layer = 0; layer < layers(); layer++) {
      if (others.isFilled(layer)) {
        markFilled(layer);
      }
    }
  }

  List<Segment> segments() {
    return segments;
  }

  @Override
  protected void free() {
    segments.forEach(Segment::close);
  }
}
