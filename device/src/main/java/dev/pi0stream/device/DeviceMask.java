package dev.pi0stream.device;

import java.util.Objects;

/** What the {@link Mask} of every back end share: who attends whom. */
public abstract class DeviceMask extends DeviceResource implements Mask {
  private final Sequences sequences;
  private final Sequences context;

  /** A mask of these sequences and, before each of them, its context. */
  protected DeviceMask(Sequences sequences, Sequences context, long bytes) {
    super(bytes);
    this.sequences = Objects.requireNonNull(sequences, "sequences");
    this.context = Objects.requireNonNull(context, "context");
  }

  @Override
  public final Sequences sequences() {
    return sequences;
  }

  @Override
  public final Sequences context() {
    return context;
  }
}
