package dev.pi0stream.device;

/** The mask of a back end that pads nothing: the lengths are all that it needs. */
final class UnpaddedMask extends DeviceMask {

  UnpaddedMask(Sequences sequences, Sequences context) {
    super(sequences, context, 0);
  }

  @Override
  protected void free() {}
}
