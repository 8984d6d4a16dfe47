package dev.pi0stream.device;

/** The weights of {@code y = x·Wᵀ + b}. */
public non-sealed interface Linear extends Weight {
  /** Columns of {@code x}. */
  int inputs();

  /** Columns of {@code y}. */
  int outputs();
}
