package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Activation;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Owns a {@code dnnl_primitive_attr_t} with a chain of post-ops. */
final class Attributes implements AutoCloseable {
  private final MemorySegment pointer = OneDnn.attributesCreate();

  /** Attributes without post-ops. */
  Attributes() {}

  /**
   * Attributes with post-ops.
   *
   * @param row the descriptor of a {@link PostOp.Operand#ROW}
   * @param matrix the descriptor of a {@link PostOp.Operand#MATRIX}
   */
  Attributes(List<PostOp> postOps, MemoryDescriptor row, MemoryDescriptor matrix) {
    MemorySegment chain = OneDnn.postOpsCreate();
    try {
      for (PostOp postOp : postOps) {
        switch (postOp) {
          case PostOp.Scale(float factor) ->
              OneDnn.postOpsAppendEltwise(chain, OneDnn.ELTWISE_LINEAR, factor);
          case PostOp.Apply(Activation activation) ->
              OneDnn.postOpsAppendEltwise(chain, algorithm(activation), 1);
          case PostOp.Add(PostOp.Operand operand) ->
              OneDnn.postOpsAppendBinary(
                  chain, OneDnn.BINARY_ADD, descriptor(operand, row, matrix));
          case PostOp.Multiply(PostOp.Operand operand) ->
              OneDnn.postOpsAppendBinary(
                  chain, OneDnn.BINARY_MUL, descriptor(operand, row, matrix));
          case PostOp.Accumulate() -> OneDnn.postOpsAppendSum(chain);
        }
      }
      OneDnn.attributesSetPostOps(pointer, chain);
    } finally {
      OneDnn.postOpsDestroy(chain);
    }
  }

  private static int algorithm(Activation activation) {
    return switch (activation) {
      case GELU_TANH -> OneDnn.ELTWISE_GELU_TANH;
      case SILU -> OneDnn.ELTWISE_SWISH;
      case NONE -> throw new IllegalArgumentException("no function to apply");
    };
  }

  private static MemorySegment descriptor(
      PostOp.Operand operand, MemoryDescriptor row, MemoryDescriptor matrix) {
    return switch (operand) {
      case ROW -> row.pointer();
      case MATRIX -> matrix.pointer();
    };
  }

  MemorySegment pointer() {
    return pointer;
  }

  @Override
  public void close() {
    OneDnn.attributesDestroy(pointer);
  }
}
