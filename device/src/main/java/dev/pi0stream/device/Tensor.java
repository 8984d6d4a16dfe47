package dev.pi0stream.device;

/**
 * A matrix on a device. How its numbers are laid out and rounded is the back end's own business;
 * {@link Device#download(Tensor)} gives them as fp32, row after row.
 */
public non-sealed interface Tensor extends Resource {
  /** The number of rows. */
  int rows();

  /** The number of columns. */
  int columns();
}
