package dev.pi0stream.device;

/** Square pictures of three channels. Made by {@link Device#images}. */
public non-sealed interface Images extends Resource {
  /** The number of pictures. */
  int count();

  /** The side of a picture in pixels. */
  int side();
}
