package dev.pi0stream.device.cpu;

import java.util.List;

/** An operation with its shapes: what one {@link Primitive} computes. */
sealed interface Operation {
  /**
   * Rows times packed weights.
   *
   * @param type of the rows and the weights; the result is fp32
   */
  record Product(
      DataType type, int rows, int inputs, int outputs, boolean bias, List<PostOp> postOps)
      implements Operation {}

  /** Matrices times matrices, one by one or, where there is one {@code weights}, all times it. */
  record BatchProduct(Matrices source, Matrices weights, Matrices destination, List<PostOp> postOps)
      implements Operation {}

  /**
   * A norm of each row.
   *
   * @param flags {@link OneDnn#USE_SCALE} and others
   */
  record Normalization(int rows, int columns, float epsilon, int flags) implements Operation {}

  /** Softmax of each row, in place. */
  record Softmax(int rows, int columns) implements Operation {}

  /** Adds {@code rows} × {@code columns} to each of {@code repeats} such matrices. */
  record Sum(int repeats, int rows, int columns) implements Operation {}

  /** Rounds fp32 numbers to bf16. */
  record Rounding(int rows, int columns) implements Operation {}
}
