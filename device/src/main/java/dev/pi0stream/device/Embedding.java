package dev.pi0stream.device;

/** A table of rows that are looked up by number. */
public non-sealed interface Embedding extends Weight {
  /** The number of entries. */
  int entries();

  /** Columns of an entry. */
  int columns();
}
