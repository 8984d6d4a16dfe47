package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DType;
import dev.pi0stream.device.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/** Copies parameters, usually parts of a mapped file, to native memory as fp32. */
final class Parameters {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Numbers are converted in pieces of this many, on the heap, where the loops vectorise. */
  private static final int PIECE = 1 << 13;

  private Parameters() {}

  /** Parameters one behind the other in new memory, which the caller frees. */
  static MemorySegment toNative(List<Parameter> parameters) {
    long count = parameters.stream().mapToLong(Parameters::count).sum();
    MemorySegment memory = NativeMemory.allocate(count * Float.BYTES);
    long next = 0;
    for (Parameter parameter : parameters) {
      long numbers = count(parameter);
      if (parameter.type() == DType.F32) {
        long bytes = numbers * Float.BYTES;
        MemorySegment.copy(parameter.data(), 0, memory, next * Float.BYTES, bytes);
      } else {
        float[] piece = new float[PIECE];
        short[] stored = new short[PIECE];
        for (long done = 0; done < numbers; done += PIECE) {
          int length = (int) Math.min(PIECE, numbers - done);
          MemorySegment source = parameter.data();
          widen(source, done, length, parameter.type(), stored, piece);
          MemorySegment.copy(
              piece, 0, memory, ValueLayout.JAVA_FLOAT, (next + done) * Float.BYTES, length);
        }
      }
      next += numbers;
    }
    return memory;
  }

  private static long count(Parameter parameter) {
    return (long) parameter.rows() * parameter.columns();
  }

  /**
   * Widens stored numbers of two bytes.
   *
   * @param from the first number in {@code source}
   * @param stored room for the numbers as they are stored
   * @param wide room for the result
   */
  static void widen(
      MemorySegment source, long from, int length, DType type, short[] stored, float[] wide) {
    MemorySegment.copy(source, SHORT, from * Short.BYTES, stored, 0, length);
    if (type == DType.BF16) {
      for (int i = 0; i < length; i++) {
        wide[i] = Float.intBitsToFloat(stored[i] << 16);
      }
    } else {
      for (int i = 0; i < length; i++) {
        wide[i] = Float.float16ToFloat(stored[i]);
      }
    }
  }
}
