package dev.pi0stream.device;

/**
 * Which rows attend which: each row all rows of its own sequence, and before them all rows of its
 * sequence's context. Made once, by {@link Device#mask(Sequences, Sequences)}, and used in every
 * layer. A device that pads sequences keeps here what hides the padding; others only the lengths.
 */
public non-sealed interface Mask extends Resource {
  /** The rows that attend. */
  Sequences sequences();

  /** What each sequence attends besides itself; of length 0 where there is nothing. */
  Sequences context();
}
