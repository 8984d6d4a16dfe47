package dev.pi0stream.model.engine;

import java.util.Map;
import java.util.TreeMap;

/**
 * How long a stage takes for a number of items: an exponentially weighted mean for each number that
 * was seen, the line through its neighbours for the others.
 */
final class StageCurve {
  /** How much a new time counts against all before. */
  private static final double WEIGHT = 0.2;

  private final TreeMap<Integer, Double> nanos = new TreeMap<>();

  /** Takes a time. */
  void learn(int items, long time) {
    if (items > 0) {
      nanos.merge(items, (double) time, (mean, now) -> mean + WEIGHT * (now - mean));
    }
  }

  boolean isEmpty() {
    return nanos.isEmpty();
  }

  /** What is to be expected, in nanoseconds; 0 for nothing to do or while nothing is known. */
  double estimate(int items) {
    if (items <= 0 || nanos.isEmpty()) {
      return 0;
    }
    Map.Entry<Integer, Double> below = nanos.floorEntry(items);
    Map.Entry<Integer, Double> above = nanos.ceilingEntry(items);
    if (below == null) {
      return above.getValue();
    }
    if (above == null) {
      Map.Entry<Integer, Double> before = nanos.lowerEntry(below.getKey());
      // One point says nothing of the slope: then as many times the items, as many times the time.
      return before == null
          ? below.getValue() * items / below.getKey()
          : Math.max(below.getValue(), line(before, below, items));
    }
    return below.getKey().equals(above.getKey()) ? below.getValue() : line(below, above, items);
  }

  private static double line(
      Map.Entry<Integer, Double> from, Map.Entry<Integer, Double> to, int items) {
    double slope = (to.getValue() - from.getValue()) / (to.getKey() - from.getKey());
    return from.getValue() + slope * (items - from.getKey());
  }
}
