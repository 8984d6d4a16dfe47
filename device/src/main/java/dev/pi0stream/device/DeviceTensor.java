package dev.pi0stream.device;

import java.util.Objects;

/** What the {@link Tensor} of every back end share: their shape. */
public abstract class DeviceTensor extends DeviceResource implements Tensor {
  private final Sequences sequences;
  private final int columns;

  /** A tensor of this shape. */
  protected DeviceTensor(Sequences sequences, int columns, long bytes) {
    super(bytes);
    this.sequences = Objects.requireNonNull(sequences, "sequences");
    this.columns = columns;
  }

  @Override
  public final Sequences sequences() {
    return sequences;
  }

  @Override
  public final int columns() {
    return columns;
  }
}
