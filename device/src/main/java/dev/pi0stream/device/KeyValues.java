package dev.pi0stream.device;

/**
 * Keys (after RoPE) and values of some sequences, for every layer of a stack: what later rows may
 * attend besides themselves. Made empty by {@link Device#keyValues}, filled layer by layer by
 * {@link Device#store}, read by {@link Device#attention(Tensor, Heads, Mask, KeyValues, int)}.
 */
public non-sealed interface KeyValues extends Packed {
  /** The number of layers. */
  int layers();

  /** The heads of every layer. */
  Heads heads();

  /** What it takes on the device, in bytes. */
  long bytes();
}
