package dev.pi0stream.device;

import java.util.Arrays;

/**
 * How many rows of a tensor each sequence of a batch has; the rows lie packed, sequence after
 * sequence. Sequences may be of any length, also 0.
 */
public final class Sequences {
  private final int[] starts;

  private Sequences(int[] starts) {
    this.starts = starts;
  }

  /** Sequences of these lengths, in rows. */
  public static Sequences of(int... lengths) {
    int[] starts = new int[lengths.length + 1];
    for (int i = 0; i < lengths.length; i++) {
      if (lengths[i] < 0) {
        throw new IllegalArgumentException("sequence " + i + " has length " + lengths[i]);
      }
      starts[i + 1] = Math.addExact(starts[i], lengths[i]);
    }
    return new Sequences(starts);
  }

  /** {@code count} sequences of {@code length} rows each. */
  public static Sequences uniform(int count, int length) {
    int[] lengths = new int[count];
    Arrays.fill(lengths, length);
    return of(lengths);
  }

  /** The number of sequences. */
  public int count() {
    return starts.length - 1;
  }

  /** The number of rows of all sequences. */
  public int rows() {
    return starts[starts.length - 1];
  }

  /** The first row of a sequence. */
  public int start(int sequence) {
    return starts[sequence];
  }

  /** The number of rows of a sequence. */
  public int length(int sequence) {
    return starts[sequence + 1] - starts[sequence];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Sequences that && Arrays.equals(starts, that.starts);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(starts);
  }

  @Override
  public String toString() {
    int[] lengths = new int[count()];
    Arrays.setAll(lengths, this::length);
    return "Sequences" + Arrays.toString(lengths);
  }
}
