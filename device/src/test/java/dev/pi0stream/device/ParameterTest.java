package dev.pi0stream.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class ParameterTest {
  @Test
  void numbersAreRowMajor() {
    Parameter matrix = Parameter.of("m", 2, 3, 1, 2, 3, 4, 5, 6);
    assertThat(matrix.at(0, 2)).isEqualTo(3);
    assertThat(matrix.at(1, 0)).isEqualTo(4);
    assertThat(matrix.toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
  }

  @Test
  void columnsAreCutFromEveryRow() {
    Parameter part = Parameter.of("m", 2, 3, 1, 2, 3, 4, 5, 6).columns(1, 3);
    assertThat(part.name()).isEqualTo("m[:, 1:3]");
    assertThat(part.rows()).isEqualTo(2);
    assertThat(part.toFloats()).containsExactly(2, 3, 5, 6);
  }

  @Test
  void numbersAreReadFromAnywhereToAnywhere() {
    int count = 10_000;
    for (DType type : DType.values()) {
      ByteBuffer bytes = ByteBuffer.allocate(count * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < count; i++) {
        switch (type) {
          case F32 -> bytes.putFloat(i % 199 - 99);
          case F16 -> bytes.putShort(Float.floatToFloat16(i % 199 - 99));
          case BF16 -> bytes.putShort((short) (Float.floatToIntBits(i % 199 - 99) >>> 16));
        }
      }
      Parameter parameter =
          new Parameter("p", type, 100, 100, MemorySegment.ofArray(bytes.array()));
      float[] read = new float[count];
      parameter.read(7, read, 3, count - 10);
      assertThat(read).startsWith(0, 0, 0).endsWith(0, 0, 0, 0, 0, 0, 0);
      for (int i = 0; i < count - 10; i++) {
        assertThat(read[3 + i]).isEqualTo((7 + i) % 199 - 99);
      }
      assertThat(parameter.at(99, 99)).isEqualTo((count - 1) % 199 - 99);
    }
  }

  @Test
  void halfFormatsWidenExactly() {
    // 1, −2, 65504 and the smallest subnormal of binary16; 1, −2, 3.3895e38 of bfloat16.
    assertThat(stored(DType.F16, 0x3c00, 0xc000, 0x7bff, 0x0001))
        .containsExactly(1, -2, 65504, 0x1p-24f);
    assertThat(stored(DType.BF16, 0x3f80, 0xc000, 0x7f7f)).containsExactly(1, -2, 0x1.fep127f);
  }

  /** At an odd address, as in a mapped file. */
  private static float[] stored(DType type, int... bits) {
    ByteBuffer bytes = ByteBuffer.allocate(1 + 2 * bits.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.position(1);
    for (int number : bits) {
      bytes.putShort((short) number);
    }
    MemorySegment data = MemorySegment.ofArray(bytes.array()).asSlice(1);
    return new Parameter("p", type, 1, bits.length, data).toFloats();
  }

  @Test
  void aShapeThatDoesNotFitItsBytesIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Parameter("w", DType.BF16, 2, 3, MemorySegment.ofArray(new byte[24])))
        .withMessage("w: 2 × 3 numbers of BF16 are 12 bytes, not 24");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Parameter("w", DType.F32, -1, 3, MemorySegment.NULL))
        .withMessageContaining("-1 × 3");
  }
}
