package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Weights in the layout that oneDNN likes best. */
final class PackedMatrix {
  private final DataType type;
  private final int inputs;
  private final int outputs;
  private final MemorySegment memory;
  private final long bytes;

  /** Packs weights of outputs × inputs below each other. */
  PackedMatrix(
      List<Parameter> weights, DataType type, Primitives primitives, Workspace scratchpad) {
    this.type = type;
    inputs = weights.getFirst().columns();
    outputs = weights.stream().mapToInt(Parameter::rows).sum();
    bytes = primitives.weightsLayout(type, inputs, outputs).bytes();
    MemorySegment plain = Parameters.toNative(weights);
    try {
      memory = NativeMemory.allocate(bytes);
      try {
        primitives.pack(type, inputs, outputs, plain, memory, scratchpad);
      } catch (RuntimeException e) {
        NativeMemory.free(memory);
        throw e;
      }
    } finally {
      NativeMemory.free(plain);
    }
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
    return bytes;
  }

  long address() {
    return memory.address();
  }

  void free() {
    NativeMemory.free(memory);
  }
}
