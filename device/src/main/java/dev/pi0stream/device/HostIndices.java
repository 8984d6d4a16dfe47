package dev.pi0stream.device;

/** Indices of a back end whose memory is the host's. */
public final class HostIndices extends DeviceIndices {
  private final int[] numbers;

  HostIndices(int[] numbers, Sequences sequences) {
    super(numbers, sequences, (long) numbers.length * Integer.BYTES);
    this.numbers = numbers.clone();
  }

  /** The index of a row. */
  public int at(int row) {
    return numbers[row];
  }

  @Override
  protected void free() {}
}
