package dev.pi0stream.device;

/**
 * Cosines and sines of rotary position embeddings for a number of rows: {@code θᵢ = p ·
 * base^(−2i/size)} for position {@code p} and {@code i < size/2}. Made by {@link Device#rotation}.
 *
 * <p>Frequencies and angles are fp32, as in transformers' {@code GemmaRotaryEmbedding} and in
 * openpi, with which the policies were trained: at position 800 an angle in fp64 is another one by
 * up to 3e-5, which is most of what a policy's fp32 results would differ by.
 */
public non-sealed interface Rotation extends Packed {
  /** The head size that it rotates. */
  int size();

  /** {@code base^(−2·pair/size)} in fp32; an angle is its fp32 product with the position. */
  static float frequency(int pair, int size, double base) {
    return 1f / (float) StrictMath.pow(base, 2f * pair / size);
  }
}
