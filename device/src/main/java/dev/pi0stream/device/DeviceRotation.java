package dev.pi0stream.device;

import java.util.Objects;

/** What the {@link Rotation} of every back end share: which rows, and heads of which size. */
public abstract class DeviceRotation extends DeviceResource implements Rotation {
  private final Sequences sequences;
  private final int size;

  /** A rotation of heads of this size in these rows. */
  protected DeviceRotation(Sequences sequences, int size, long bytes) {
    super(bytes);
    this.sequences = Objects.requireNonNull(sequences, "sequences");
    this.size = size;
  }

  @Override
  public final Sequences sequences() {
    return sequences;
  }

  @Override
  public final int size() {
    return size;
  }
}
