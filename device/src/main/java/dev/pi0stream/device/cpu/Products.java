package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Activation;
import dev.pi0stream.device.Epilogue;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rows times packed weights, with everything that happens to the sums before they are written.
 *
 * <p>With 8-bit integers, rows are rounded just before, each with its own scale. oneDNN multiplies
 * fast by a number for each row or adds one for each column, not both; so biases are written to the
 * result first, and the product is added.
 */
final class Products implements AutoCloseable {
  private final Primitives primitives;
  private final Workspace scratchpad;
  private final Converter converter;
  private final RowQuantizer quantizer;
  private final Workspace operand = new Workspace();
  private final Workspace gates = new Workspace();
  private final Workspace residuals = new Workspace();
  private final Workspace shifts = new Workspace();
  private final Workspace gateRow = new Workspace();
  private final Workspace row = new Workspace();

  Products(Primitives primitives, Workspace scratchpad, Converter converter, RowBlocks blocks) {
    this.primitives = primitives;
    this.scratchpad = scratchpad;
    this.converter = converter;
    this.quantizer = new RowQuantizer(blocks);
  }

  /**
   * The format of a product: bf16 where it will only be multiplied again; fp32 for the residual
   * stream, and behind weights in fp32.
   */
  static DataType resultType(PackedLinear linear, Epilogue epilogue) {
    boolean exact = linear.matrix().type() == DataType.F32;
    return exact || epilogue.residual() != null || epilogue.gate() != null
        ? DataType.F32
        : DataType.BF16;
  }

  /** One product: what happens to the sums, and with which operands, in the same order. */
  private static final class Tail {
    private final List<PostOp> postOps = new ArrayList<>(4);
    private final List<Long> operands = new ArrayList<>(4);

    void add(PostOp postOp) {
      postOps.add(postOp);
    }

    void add(PostOp postOp, long operand) {
      postOps.add(postOp);
      operands.add(operand);
    }
  }

  /** {@code x·Wᵀ + b} and the epilogue. */
  void linear(NativeTensor x, PackedLinear linear, Epilogue epilogue, NativeTensor result) {
    if (linear.matrix().type() == DataType.S8) {
      integerLinear(x, linear, epilogue, result);
      return;
    }
    Tail tail = new Tail();
    if (epilogue.shift() instanceof NativeTensor shift) {
      long added = converter.address(shift, DataType.F32, shifts);
      tail.add(new PostOp.Add(PostOp.Operand.ROW), added);
    }
    if (epilogue.activation() != Activation.NONE) {
      tail.add(new PostOp.Apply(epilogue.activation()));
    }
    if (epilogue.gate() instanceof NativeTensor gate) {
      long factors = converter.address(gate, DataType.F32, gateRow);
      tail.add(new PostOp.Multiply(PostOp.Operand.ROW), factors);
    }
    if (epilogue.residual() instanceof NativeTensor residual) {
      long added = converter.address(residual, DataType.F32, residuals);
      tail.add(new PostOp.Add(PostOp.Operand.MATRIX), added);
    }
    long source = converter.address(x, linear.matrix().type(), operand);
    multiply(source, linear.matrix(), linear.bias(), result, tail);
  }

  private void integerLinear(
      NativeTensor x, PackedLinear linear, Epilogue epilogue, NativeTensor result) {
    RowQuantizer.Quantized rows = quantize(x);
    Tail tail = new Tail();
    tail.add(new PostOp.Multiply(PostOp.Operand.COLUMN), rows.scales());
    if (writeRow(linear, epilogue, result)) {
      tail.add(new PostOp.Accumulate());
    }
    if (epilogue.activation() != Activation.NONE) {
      tail.add(new PostOp.Apply(epilogue.activation()));
    }
    if (epilogue.gate() == null && epilogue.residual() instanceof NativeTensor residual) {
      long added = converter.address(residual, DataType.F32, residuals);
      tail.add(new PostOp.Add(PostOp.Operand.MATRIX), added);
    }
    multiply(rows.integers(), linear.matrix(), null, result, tail);
    if (epilogue.gate() instanceof NativeTensor gate) {
      long factors = converter.address(gate, DataType.F32, gateRow);
      primitives
          .of(new Operation.GatedSum(result.computedRows(), result.columns()))
          .run(scratchpad, result.address(), factors, result.address(), added(epilogue, result));
    }
  }

  /** The address of the residual, or of zeros. */
  private long added(Epilogue epilogue, NativeTensor result) {
    if (epilogue.residual() instanceof NativeTensor residual) {
      return converter.address(residual, DataType.F32, residuals);
    }
    return residuals
        .reserve((long) result.computedRows() * result.columns() * Float.BYTES)
        .fill((byte) 0)
        .address();
  }

  private RowQuantizer.Quantized quantize(NativeTensor x) {
    MemorySegment halves = converter.values(x, DataType.BF16, operand);
    return quantizer.quantize(halves, x.rows(), x.computedRows(), x.columns());
  }

  /** Writes bias and shift to every row of the result; false if there is neither. */
  private boolean writeRow(PackedLinear linear, Epilogue epilogue, NativeTensor result) {
    if (linear.bias() == null && epilogue.shift() == null) {
      return false;
    }
    MemorySegment shift =
        epilogue.shift() instanceof NativeTensor tensor
            ? converter.values(tensor, DataType.F32, shifts)
            : null;
    int columns = result.columns();
    long bytes = (long) columns * result.type().bytes();
    MemorySegment sum = row.reserve((long) columns * Float.BYTES);
    if (linear.bias() == null) {
      MemorySegment.copy(shift, 0, sum, 0, (long) columns * Float.BYTES);
    } else {
      MemorySegment.copy(linear.bias(), 0, sum, 0, (long) columns * Float.BYTES);
      if (shift != null) {
        primitives
            .of(new Operation.Sum(1, 1, columns))
            .run(scratchpad, sum.address(), shift.address(), sum.address());
      }
    }
    long first = result.address();
    if (result.type() == DataType.F32) {
      MemorySegment.copy(sum, 0, result.values(), 0, bytes);
    } else {
      converter.convert(sum.address(), DataType.F32, first, DataType.BF16, 1, columns);
    }
    for (int i = 1; i < result.rows(); i++) {
      MemorySegment.copy(result.values(), 0, result.values(), i * bytes, bytes);
    }
    return true;
  }

  /** {@code gelu_tanh(x·Gᵀ) ⊙ (x·Uᵀ)}. */
  void gated(NativeTensor x, PackedGatedLinear gated, NativeTensor result) {
    DataType type = gated.gate().type();
    long numbers = (long) result.computedRows() * result.columns();
    long gate = gates.address(numbers * result.type().bytes());
    Tail gelu = new Tail();
    Tail times = new Tail();
    long source;
    if (type == DataType.S8) {
      RowQuantizer.Quantized rows = quantize(x);
      source = rows.integers();
      gelu.add(new PostOp.Multiply(PostOp.Operand.COLUMN), rows.scales());
      times.add(new PostOp.Multiply(PostOp.Operand.COLUMN), rows.scales());
    } else {
      source = converter.address(x, type, operand);
    }
    gelu.add(new PostOp.Apply(Activation.GELU_TANH));
    times.add(new PostOp.Multiply(PostOp.Operand.matrix(result.type())), gate);
    int rows = result.computedRows();
    multiply(source, gated.gate(), null, gate, result.type(), rows, gelu);
    multiply(source, gated.up(), null, result.address(), result.type(), rows, times);
  }

  private void multiply(
      long source, PackedMatrix matrix, MemorySegment bias, NativeTensor result, Tail tail) {
    multiply(source, matrix, bias, result.address(), result.type(), result.computedRows(), tail);
  }

  private void multiply(
      long source,
      PackedMatrix matrix,
      MemorySegment bias,
      long destination,
      DataType result,
      int rows,
      Tail tail) {
    long[] addresses = new long[5 + tail.operands.size()];
    int count = 0;
    addresses[count++] = source;
    addresses[count++] = matrix.address();
    addresses[count++] = destination;
    if (matrix.type() == DataType.S8) {
      addresses[count++] = matrix.scales();
    }
    if (bias != null) {
      addresses[count++] = bias.address();
    }
    for (long operandAddress : tail.operands) {
      addresses[count++] = operandAddress;
    }
    primitives
        .of(
            new Operation.Product(
                matrix.type(),
                result,
                rows,
                matrix.inputs(),
                matrix.outputs(),
                bias != null,
                List.copyOf(tail.postOps)))
        .run(scratchpad, Arrays.copyOf(addresses, count));
  }

  @Override
  public void close() {
    quantizer.close();
    operand.close();
    gates.close();
    residuals.close();
    shifts.close();
    gateRow.close();
    row.close();
  }
}
