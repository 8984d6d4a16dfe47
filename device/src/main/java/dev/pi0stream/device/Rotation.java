package dev.pi0stream.device;

/**
 * Cosines and sines of rotary position embeddings for a number of rows: {@code θᵢ = p ·
 * base^(−2i/size)} for position {@code p} and {@code i < size/2}. Made by {@link Device#rotation}.
 */
public non-sealed interface Rotation extends Resource {
  /** The number of rows, one position each. */
  int rows();

  /** The head size that it rotates. */
  int size();
}
