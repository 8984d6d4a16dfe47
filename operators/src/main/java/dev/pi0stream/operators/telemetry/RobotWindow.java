package dev.pi0stream.operators.telemetry;

import java.util.Arrays;

/**
 * What a robot experienced in a window so far. Kept in state; its arrays are filled in place, and
 * only grow from version to version.
 *
 * @param counts by {@link Count}
 * @param ages of chunks in microseconds, the first {@code measured} of them
 */
public record RobotWindow(long[] counts, int[] ages, int measured) {
  private static final int FIRST_AGES = 16;

  /** Nothing so far. */
  static RobotWindow empty() {
    return new RobotWindow(new long[Count.values().length], new int[FIRST_AGES], 0);
  }

  /** A number of this window; 0 where it was stored by a version that did not count it. */
  long get(Count count) {
    return count.place() < counts.length ? counts[count.place()] : 0;
  }

  RobotWindow plus(Count count, long more) {
    if (count.place() >= counts.length) {
      return new RobotWindow(Arrays.copyOf(counts, Count.values().length), ages, measured)
          .plus(count, more);
    }
    counts[count.place()] += more;
    return this;
  }

  RobotWindow plusAge(long micros) {
    int[] grown = measured < ages.length ? ages : Arrays.copyOf(ages, 2 * Math.max(1, measured));
    grown[measured] = (int) Math.min(Integer.MAX_VALUE, micros);
    return new RobotWindow(counts, grown, measured + 1);
  }

  /** Whether nothing happened. */
  boolean isEmpty() {
    return Arrays.stream(counts).allMatch(count -> count == 0);
  }

  /** The ages in ascending order. */
  int[] sortedAges() {
    int[] sorted = Arrays.copyOf(ages, measured);
    Arrays.sort(sorted);
    return sorted;
  }
}
