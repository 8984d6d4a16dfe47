package dev.pi0stream.device;

/** Something that has rows, packed sequence after sequence. */
public sealed interface Packed extends Resource permits Tensor, KeyValues, Indices, Rotation {
  /** The rows of each sequence. */
  Sequences sequences();
}
