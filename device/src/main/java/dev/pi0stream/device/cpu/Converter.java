package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;

/** Gives tensors in the format that an operation wants. */
final class Converter {
  private final Primitives primitives;
  private final Workspace scratchpad;

  Converter(Primitives primitives, Workspace scratchpad) {
    this.primitives = primitives;
    this.scratchpad = scratchpad;
  }

  /**
   * A tensor's computed rows in some format: its own if that is the tensor's, else a copy.
   *
   * @param room for the copy
   */
  MemorySegment values(NativeTensor tensor, DataType type, Workspace room) {
    if (tensor.type() == type || tensor.rows() == 0) {
      return tensor.values();
    }
    int rows = tensor.computedRows();
    MemorySegment copy = room.reserve((long) rows * tensor.columns() * type.bytes());
    convert(tensor.address(), tensor.type(), copy.address(), type, rows, tensor.columns());
    return copy;
  }

  /** The address of {@link #values}. */
  long address(NativeTensor tensor, DataType type, Workspace room) {
    return values(tensor, type, room).address();
  }

  /** Copies rows from one format to another. */
  void convert(long from, DataType fromType, long to, DataType toType, int rows, int columns) {
    primitives
        .of(new Operation.Conversion(fromType, toType, rows, columns))
        .run(scratchpad, from, to);
  }
}
