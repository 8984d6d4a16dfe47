package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;

/** Copies parameters, usually parts of a mapped file, to native memory, on all threads. */
final class Parameters {
  /** A thread converts so many numbers at a time. */
  private static final int PIECE = 1 << 13;

  private Parameters() {}

  /** Parameters as fp32, one behind the other in new memory, which the caller frees. */
  static MemorySegment toNative(List<Parameter> parameters) {
    MemorySegment memory = NativeMemory.allocate(count(parameters) * Float.BYTES);
    long next = 0;
    for (Parameter parameter : parameters) {
      long numbers = parameter.count();
      long start = next;
      int pieces = Math.toIntExact((numbers + PIECE - 1) / PIECE);
      IntStream.range(0, pieces)
          .parallel()
          .forEach(
              piece -> {
                long from = (long) piece * PIECE;
                int length = (int) Math.min(PIECE, numbers - from);
                float[] wide = new float[length];
                parameter.read(from, wide, 0, length);
                long to = (start + from) * Float.BYTES;
                MemorySegment.copy(wide, 0, memory, ValueLayout.JAVA_FLOAT, to, length);
              });
      next += numbers;
    }
    return memory;
  }

  /** Parameters as they are stored, one behind the other in new memory, which the caller frees. */
  static MemorySegment copy(List<Parameter> parameters) {
    long bytes = parameters.stream().mapToLong(parameter -> parameter.data().byteSize()).sum();
    MemorySegment memory = NativeMemory.allocate(bytes);
    long next = 0;
    for (Parameter parameter : parameters) {
      MemorySegment.copy(parameter.data(), 0, memory, next, parameter.data().byteSize());
      next += parameter.data().byteSize();
    }
    return memory;
  }

  /**
   * Rounds rows to 8-bit integers.
   *
   * @param scales room for a factor for each row
   * @return rows × columns in new memory, which the caller frees
   */
  static MemorySegment quantize(List<Parameter> parameters, MemorySegment scales) {
    MemorySegment memory = NativeMemory.allocate(count(parameters));
    int start = 0;
    for (Parameter parameter : parameters) {
      int columns = parameter.columns();
      int above = start;
      int perBlock = Math.max(1, PIECE / columns);
      IntStream.range(0, (parameter.rows() + perBlock - 1) / perBlock)
          .parallel()
          .forEach(
              block -> {
                float[] wide = new float[columns];
                byte[] narrow = new byte[columns];
                int end = Math.min(parameter.rows(), (block + 1) * perBlock);
                for (int row = block * perBlock; row < end; row++) {
                  parameter.read((long) row * columns, wide, 0, columns);
                  float scale = greatest(wide) / RowQuantizer.LIMIT;
                  RowQuantizer.round(wide, scale, narrow);
                  long to = (long) (above + row) * columns;
                  MemorySegment.copy(narrow, 0, memory, ValueLayout.JAVA_BYTE, to, columns);
                  scales.setAtIndex(ValueLayout.JAVA_FLOAT, above + row, scale);
                }
              });
      start += parameter.rows();
    }
    return memory;
  }

  private static float greatest(float[] values) {
    float greatest = 0;
    for (float value : values) {
      greatest = Math.max(greatest, Math.abs(value));
    }
    return greatest;
  }

  /**
   * Drops what was read of mapped files from this process's memory. It can be read again; without
   * this, a checkpoint would be in memory twice while it is loaded.
   */
  static void release(List<Parameter> parameters) {
    for (Parameter parameter : parameters) {
      if (parameter.data().isMapped()) {
        parameter.data().unload();
      }
    }
  }

  private static long count(List<Parameter> parameters) {
    return parameters.stream().mapToLong(Parameter::count).sum();
  }
}
