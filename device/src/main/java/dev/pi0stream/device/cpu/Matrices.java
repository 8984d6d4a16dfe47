package dev.pi0stream.device.cpu;

/**
 * Some matrices of one shape in a larger memory, at regular distances.
 *
 * @param count the number of matrices
 * @param step from one matrix to the next, in numbers
 * @param rowStep from one row to the next, in numbers
 * @param columnStep from one column to the next, in numbers
 */
record Matrices(
    DataType type, int count, int rows, int columns, long step, long rowStep, long columnStep) {
  /** The descriptor of one matrix, where there is one. */
  MemoryDescriptor single() {
    return MemoryDescriptor.strided(
        type, new long[] {rows, columns}, new long[] {rowStep, columnStep});
  }

  MemoryDescriptor descriptor() {
    return MemoryDescriptor.strided(
        type,
        new long[] {count, rows, columns},
        // oneDNN looks at the step of a single matrix too, and wants it to lead out of the matrix.
        new long[] {
          count == 1 ? rows * rowStep + columns * columnStep : step, rowStep, columnStep
        });
  }
}
