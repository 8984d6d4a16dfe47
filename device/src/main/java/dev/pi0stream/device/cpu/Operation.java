package dev.pi0stream.device.cpu;

import java.util.List;

/** An operation with its shapes: what one {@link Primitive} computes. */
sealed interface Operation {
  /** What an operation that only reads and writes numbers takes for each, in multiplications. */
  int READING = 16;

  /** About how much there is to do, in multiplications. */
  long work();

  /**
   * Rows times packed weights.
   *
   * @param type of the rows and the weights; the result is fp32
   */
  record Product(
      DataType type, int rows, int inputs, int outputs, boolean bias, List<PostOp> postOps)
      implements Operation {
    @Override
    public long work() {
      return (long) rows * inputs * outputs;
    }
  }

  /** Matrices times matrices, one by one or, where there is one {@code weights}, all times it. */
  record BatchProduct(Matrices source, Matrices weights, Matrices destination, List<PostOp> postOps)
      implements Operation {
    @Override
    public long work() {
      return (long) source.count() * source.rows() * source.columns() * destination.columns();
    }
  }

  /**
   * A norm of each row.
   *
   * @param flags {@link OneDnn#USE_SCALE} and others
   */
  record Normalization(int rows, int columns, float epsilon, int flags) implements Operation {
    @Override
    public long work() {
      return (long) READING * rows * columns;
    }
  }

  /** Softmax of each row, in place. */
  record Softmax(int rows, int columns) implements Operation {
    @Override
    public long work() {
      return (long) READING * rows * columns;
    }
  }

  /** Adds {@code rows} × {@code columns} to each of {@code repeats} such matrices. */
  record Sum(int repeats, int rows, int columns) implements Operation {
    @Override
    public long work() {
      return (long) READING * repeats * rows * columns;
    }
  }

  /** Rounds fp32 numbers to bf16. */
  record Rounding(int rows, int columns) implements Operation {
    @Override
    public long work() {
      return (long) READING * rows * columns;
    }
  }
}
