package dev.pi0stream.device;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How matrix weights are kept and multiplied. Sums, norms and softmax are fp32 in all of them. */
public enum Precision {
  /** binary32 throughout: the definition. */
  FP32,
  /** bfloat16 weights and operands of matrix products, but for layers that ask for fp32. */
  BF16,
  /**
   * Weights of Tenstorrent's bfloat8_b, a block floating-point format of 7 bits of mantissa and one
   * exponent for 16 numbers, with bfloat16 operands; layers that ask for fp32 have bfloat16.
   */
  BFP8,
  /**
   * 8-bit integers for weights and operands of matrix products, but for layers that ask for fp32.
   */
  INT8;

  /**
   * The precision of a flag's value, in any case.
   *
   * @throws IllegalArgumentException naming the values there are
   */
  public static Precision parse(String text) {
    return Arrays.stream(values())
        .filter(precision -> precision.label().equalsIgnoreCase(text))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "precision '%s': expected one of %s"
                        .formatted(
                            text,
                            Arrays.stream(values())
                                .map(Precision::label)
                                .collect(Collectors.joining(", ")))));
  }

  /**
   * The name as it stands in flags and reports: {@code fp32}, {@code bf16}, {@code bfp8}, {@code
   * int8}.
   */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
