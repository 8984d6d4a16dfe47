package dev.pi0stream.device;

/** The mask of a back end that pads nothing: the lengths are all that it needs. */
final class UnpaddedMask extends DeviceResource implements Mask {
  private final Sequences sequences;
  private final Sequences context;

  UnpaddedMask(Sequences sequences, Sequences context) {
    super(0);
    this.sequences = sequences;
    this.context = context;
  }

  @Override
  public Sequences sequences() {
    return sequences;
  }

  @Override
  public Sequences context() {
    return context;
  }

  @Override
  protected void free() {}
}
