package dev.pi0stream.device;

import java.util.Objects;

/** What the {@link Indices} of every back end share. */
public abstract class DeviceIndices extends DeviceResource implements Indices {
  private final Sequences sequences;
  private final int largest;

  /** Indices of these rows, the largest of which is known before they are on the device. */
  protected DeviceIndices(int[] numbers, Sequences sequences, long bytes) {
    super(bytes);
    this.sequences = Objects.requireNonNull(sequences, "sequences");
    int found = -1;
    for (int number : numbers) {
      found = Math.max(found, number);
    }
    this.largest = found;
  }

  @Override
  public final Sequences sequences() {
    return sequences;
  }

  /** The largest number; −1 where there is none. */
  final int largest() {
    return largest;
  }
}
