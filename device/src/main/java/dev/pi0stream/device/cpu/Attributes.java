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
   * @param result the dimensions of the result
   */
  Attributes(List<PostOp> postOps, long... result) {
    MemorySegment chain = OneDnn.postOpsCreate();
    try {
      for (PostOp postOp : postOps) {
        switch (postOp) {
          case PostOp.Scale(float factor) ->
              OneDnn.postOpsAppendEltwise(chain, OneDnn.ELTWISE_LINEAR, factor);
          case PostOp.Apply(Activation activation) ->
              OneDnn.postOpsAppendEltwise(chain, algorithm(activation), 1);
          case PostOp.Add(PostOp.Operand operand) ->
              append(chain, OneDnn.BINARY_ADD, operand, result);
          case PostOp.Multiply(PostOp.Operand operand) ->
              append(chain, OneDnn.BINARY_MUL, operand, result);
          case PostOp.Accumulate() -> OneDnn.postOpsAppendSum(chain);
        }
      }
      OneDnn.attributesSetPostOps(pointer, chain);
    } finally {
      OneDnn.postOpsDestroy(chain);
    }
  }

  private static void append(
      MemorySegment chain, int algorithm, PostOp.Operand operand, long... result) {
    try (MemoryDescriptor descriptor = operand.descriptor(result)) {
      OneDnn.postOpsAppendBinary(chain, algorithm, descriptor.pointer());
    }
  }

  private static int algorithm(Activation activation) {
    return switch (activation) {
      case GELU_TANH -> OneDnn.ELTWISE_GELU_TANH;
      case SILU -> OneDnn.ELTWISE_SWISH;
      case NONE -> throw new IllegalArgumentException("no function to apply");
    };
  }

  /** The same, with a scale for each column of the weights of {@code dimensions} dimensions. */
  Attributes scalingColumns(int dimensions) {
    OneDnn.attributesSetScales(pointer, OneDnn.ARG_WEIGHTS, 1 << (dimensions - 1));
    return this;
  }

  MemorySegment pointer() {
    return pointer;
  }

  @Override
  public void close() {
    OneDnn.attributesDestroy(pointer);
  }
}
