package dev.pi0stream.device;

/**
 * A matrix on a device, whose rows are those of some sequences. Operations that treat each row
 * alone keep them; which rows attend each other depends on them. How its numbers are laid out and
 * rounded is the back end's own business; {@link Device#download(Tensor)} gives them as fp32, row
 * after row.
 */
public non-sealed interface Tensor extends Packed {
  /** The number of rows, of all sequences. */
  default int rows() {
    return sequences().rows();
  }

  /** The number of columns. */
  int columns();
}
