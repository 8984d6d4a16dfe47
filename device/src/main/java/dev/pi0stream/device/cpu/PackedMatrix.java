package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DType;
import dev.pi0stream.device.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Weights in the layout that oneDNN likes best; 8-bit integers with a scale for each output. */
final class PackedMatrix {
  private final DataType type;
  private final int inputs;
  private final int outputs;
  private final MemorySegment memory;
  private final MemorySegment scales; // (output); null but for 8-bit integers
  private final long bytes;

  /** Packs weights of outputs × inputs below each other. */
  PackedMatrix(
      List<Parameter> weights, DataType type, Primitives primitives, Workspace scratchpad) {
    this.type = type;
    inputs = weights.getFirst().columns();
    outputs = weights.stream().mapToInt(Parameter::rows).sum();
    bytes = primitives.weightsLayout(type, inputs, outputs).bytes();
    memory = NativeMemory.allocate(bytes);
    scales = type == DataType.S8 ? NativeMemory.allocate((long) outputs * Float.BYTES) : null;
    try {
      pack(weights, primitives, scratchpad);
    } catch (RuntimeException e) {
      free();
      throw e;
    }
    Parameters.release(weights);
  }

  private void pack(List<Parameter> weights, Primitives primitives, Workspace scratchpad) {
    boolean stored =
        type == DataType.BF16 && weights.stream().allMatch(weight -> weight.type() == DType.BF16);
    MemorySegment first = weights.getFirst().data();
    if (stored && weights.size() == 1 && first.isNative() && first.address() % 2 == 0) {
      pack(DataType.BF16, first, primitives, scratchpad);
      return;
    }
    DataType from = stored ? DataType.BF16 : type == DataType.S8 ? DataType.S8 : DataType.F32;
    MemorySegment plain =
        switch (from) {
          case BF16 -> Parameters.copy(weights);
          case S8 -> Parameters.quantize(weights, scales);
          case F32 -> Parameters.toNative(weights);
        };
    try {
      pack(from, plain, primitives, scratchpad);
    } finally {
      NativeMemory.free(plain);
    }
  }

  private void pack(
      DataType from, MemorySegment plain, Primitives primitives, Workspace scratchpad) {
    var source = new Primitives.WeightsSource(from, inputs, outputs, plain.address());
    primitives.pack(source, type, memory, scratchpad);
  }

  /** The format of the weights, and of the rows that they are multiplied with. */
  DataType type() {
    return type;
  }

  int inputs() {
    return inputs;
  }

  int outputs() {
    return outputs;
  }

  long bytes() {
    return bytes + (scales == null ? 0 : (long) outputs * Float.BYTES);
  }

  long address() {
    return memory.address();
  }

  /** The address of a scale for each output, of 8-bit integers. */
  long scales() {
    return scales.address();
  }

  void free() {
    NativeMemory.free(memory);
    if (scales != null) {
      NativeMemory.free(scales);
    }
  }
}
