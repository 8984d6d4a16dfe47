package dev.pi0stream.device.cpu;

import java.util.List;

/** An operation with its shapes: what one {@link Primitive} computes. */
sealed interface Operation {
  /** What an operation that only reads and writes numbers takes for each, in multiplications. */
  int READING = 16;

  /** About how much there is to do, in multiplications. */
  long work();

  /**
   * Rows times packed weights. With {@link DataType#S8} weights the sums are multiplied by a scale
   * for each column.
   *
   * @param type of the rows and the weights
   * @param result of the result
   */
  record Product(
      DataType type,
      DataType result,
      int rows,
      int inputs,
      int outputs,
      boolean bias,
      List<PostOp> postOps)
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
   * A norm of each row, of fp32 numbers.
   *
   * @param flags {@link OneDnn#USE_SCALE} and others
   */
  record Normalization(DataType result, int rows, int columns, float epsilon, int flags)
      implements Operation {
    @Override
    public long work() {
      return (long) READING * rows * columns;
    }
  }

  /** Softmax of each row, of fp32 numbers. */
  record Softmax(DataType result, int rows, int columns) implements Operation {
    @Override
    public long work() {
      return (long) READING * rows * columns;
    }
  }

  /** Adds {@code rows} × {@code columns} to each of {@code repeats} such matrices, in fp32. */
  record Sum(int repeats, int rows, int columns) implements Operation {
    @Override
    public long work() {
      return (long) READING * repeats * rows * columns;
    }
  }

  /** Multiplies the columns of a matrix by one number each and adds another matrix, in fp32. */
  record GatedSum(int rows, int columns) implements Operation {
    @Override
    public long work() {
      return (long) READING * rows * columns;
    }
  }

  /** Rewrites numbers in another format. */
  record Conversion(DataType from, DataType to, int rows, int columns) implements Operation {
    @Override
    public long work() {
      return (long) READING * rows * columns;
    }
  }
}
