package dev.pi0stream.device;

/** The weights of a LayerNorm or an RMSNorm. */
public non-sealed interface Norm extends Weight {
  /** Columns of the rows that it normalises. */
  int columns();
}
