package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Activation;

/** What a primitive does with each number before it writes it. */
sealed interface PostOp {
  /** Multiplies by a constant. */
  record Scale(float factor) implements PostOp {}

  /** Applies a function, which is not {@link Activation#NONE}. */
  record Apply(Activation activation) implements PostOp {}

  /** Adds a number of another operand. */
  record Add(Operand operand) implements PostOp {}

  /** Multiplies by a number of another operand. */
  record Multiply(Operand operand) implements PostOp {}

  /** Adds what was in the destination before. */
  record Accumulate() implements PostOp {}

  /** The second operand of a post-op. */
  enum Operand {
    /** One fp32 number for each column. */
    ROW(DataType.F32),
    /** One fp32 number for each row. */
    COLUMN(DataType.F32),
    /** One fp32 number for each of the result. */
    MATRIX(DataType.F32),
    /** One bf16 number for each of the result. */
    HALF_MATRIX(DataType.BF16);

    private final DataType type;

    Operand(DataType type) {
      this.type = type;
    }

    /** Its descriptor, of as many dimensions as the result has. */
    MemoryDescriptor descriptor(long... result) {
      long[] dimensions = result.clone();
      for (int i = 0; i < dimensions.length; i++) {
        boolean rows = i == dimensions.length - 2;
        boolean columns = i == dimensions.length - 1;
        boolean spans =
            switch (this) {
              case ROW -> columns;
              case COLUMN -> rows;
              case MATRIX, HALF_MATRIX -> true;
            };
        dimensions[i] = spans ? dimensions[i] : 1;
      }
      return MemoryDescriptor.dense(type, dimensions);
    }

    /** The operand with as many numbers as the result, of some type. */
    static Operand matrix(DataType type) {
      return type == DataType.BF16 ? HALF_MATRIX : MATRIX;
    }
  }

  /** The second operand, or null. */
  default Operand second() {
    return switch (this) {
      case Add add -> add.operand();
      case Multiply multiply -> multiply.operand();
      case Scale _, Apply _, Accumulate _ -> null;
    };
  }
}
