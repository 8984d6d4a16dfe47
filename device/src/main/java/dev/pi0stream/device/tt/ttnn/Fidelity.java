package dev.pi0stream.device.tt.ttnn;

/**
 * How many of their mantissa's bits the matrix engine multiplies ({@code ttnn.MathFidelity}); sums
 * are fp32 in either, and no function is approximated.
 */
public enum Fidelity {
  /** 8 bits of one operand and 5 of the other: all that bfloat8_b weights have. */
  HIFI2("HiFi2"),
  /** All bits of bfloat16 operands. */
  HIFI4("HiFi4");

  private final String ttnnName;

  Fidelity(String ttnnName) {
    this.ttnnName = ttnnName;
  }

  String ttnnName() {
    return ttnnName;
  }
}
