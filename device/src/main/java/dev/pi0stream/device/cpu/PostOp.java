package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Activation;

/** What a matrix product does with each number before it writes it. */
sealed interface PostOp {
  /** Multiplies by a constant. */
  record Scale(float factor) implements PostOp {}

  /** Applies a function, which is not {@link Activation#NONE}. */
  record Apply(Activation activation) implements PostOp {}

  /** Adds the number of a row or a matrix. */
  record Add(Operand operand) implements PostOp {}

  /** Multiplies by the number of a row or a matrix. */
  record Multiply(Operand operand) implements PostOp {}

  /** Adds what was in the destination before. */
  record Accumulate() implements PostOp {}

  /** The shape of a second operand. */
  enum Operand {
    /** One row, for all rows. */
    ROW,
    /** As many rows as the product. */
    MATRIX
  }
}
