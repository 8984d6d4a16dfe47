package dev.pi0stream.device.tt.ttnn;

/** An activation that a matrix product computes as it writes its result. */
public enum Fused {
  /** The result as it is. */
  NONE(null),
  /** GELU by tanh; TTNN's plain "gelu" is the one by erf. */
  GELU_TANH("gelu_tanh"),
  /** {@code x · sigmoid(x)}. */
  SILU("silu");

  private final String ttnnName;

  Fused(String ttnnName) {
    this.ttnnName = ttnnName;
  }

  String ttnnName() {
    return ttnnName;
  }
}
