package dev.pi0stream.device;

/** A function applied to each number. */
public enum Activation {
  /** The number itself. */
  NONE,
  /** GELU in its tanh form: {@code x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))}. */
  GELU_TANH,
  /** {@code x / (1 + e⁻ˣ)}. */
  SILU
}
