package dev.pi0stream.device;

/** The weights of the gated half of GeGLU: {@code y = gelu_tanh(x·Gᵀ) ⊙ (x·Uᵀ)}. */
public non-sealed interface GatedLinear extends Weight {
  /** Columns of {@code x}. */
  int inputs();

  /** Columns of {@code y}. */
  int outputs();
}
