package dev.pi0stream.job.evaluation;

import java.util.Arrays;

/** Numbers kept to be ranked. */
final class Percentiles {
  private float[] values = new float[256];
  private int size;
  private boolean sorted;

  void add(double value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, Math.addExact(size, size >> 1));
    }
    values[size++] = (float) value;
    sorted = false;
  }

  int size() {
    return size;
  }

  /** The number at a share of the ranks, by nearest rank; null without numbers. */
  Double at(double share) {
    if (size == 0) {
      return null;
    }
    if (!sorted) {
      Arrays.sort(values, 0, size);
      sorted = true;
    }
    return (double) values[Math.max(1, (int) Math.ceil(share * size)) - 1];
  }
}
