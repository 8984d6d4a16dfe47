package dev.pi0stream.device;

import java.util.Objects;

/**
 * What {@link Device#linear(Tensor, Linear, Epilogue)} does with {@code y = x·Wᵀ + b} before it
 * writes it, in this order:
 *
 * <pre>{@code
 * y = activation(y + shift)
 * y = residual + gate ⊙ y
 * }</pre>
 *
 * @param shift one row, added to every row; null for none
 * @param residual as many rows and columns as the result; null for none
 * @param gate one row that multiplies every row; null for none
 */
public record Epilogue(Tensor shift, Activation activation, Tensor residual, Tensor gate) {
  /** The product and its bias as they are. */
  public static final Epilogue NONE = activation(Activation.NONE);

  public Epilogue {
    Objects.requireNonNull(activation, "activation");
  }

  /** {@code activation(y)}. */
  public static Epilogue activation(Activation activation) {
    return new Epilogue(null, activation, null, null);
  }

  /** {@code activation(y + shift)}. */
  public static Epilogue shifted(Tensor shift, Activation activation) {
    return new Epilogue(Objects.requireNonNull(shift, "shift"), activation, null, null);
  }

  /** {@code residual + y}. */
  public static Epilogue residual(Tensor residual) {
    return new Epilogue(null, Activation.NONE, Objects.requireNonNull(residual, "residual"), null);
  }

  /** {@code residual + gate ⊙ y}. */
  public static Epilogue gatedResidual(Tensor residual, Tensor gate) {
    return new Epilogue(
        null,
        Activation.NONE,
        Objects.requireNonNull(residual, "residual"),
        Objects.requireNonNull(gate, "gate"));
  }
}
