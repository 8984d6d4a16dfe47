package dev.pi0stream.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pi0stream.device.DType;
import dev.pi0stream.device.Parameter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void readsBackWhatWasWritten() throws IOException {
    Path file = folder.resolve("all.safetensors");
    new SafetensorsWriter()
        .metadata("format", "pt")
        .floats("f", new float[] {1, -2.5f, Float.NaN, 4, 5, 6}, 2, 3)
        .longs("l", new long[] {Long.MIN_VALUE, 7}, 2)
        .longs("scalar", new long[] {3})
        .bytes("b", new byte[] {-1, 2, 3}, 3)
        .booleans("o", new boolean[] {true, false}, 2)
        .floats("empty", new float[0], 0, 4)
        .write(file);
    try (Safetensors tensors = Safetensors.open(file)) {
      assertThat(tensors.metadata()).containsEntry("format", "pt");
      assertThat(tensors.all())
          .extracting(StoredTensor::name)
          .containsExactly("b", "empty", "f", "l", "o", "scalar");
      assertThat(tensors.get("f").floats()).containsExactly(1, -2.5f, Float.NaN, 4, 5, 6);
      assertThat(tensors.get("f").shape()).containsExactly(2, 3);
      assertThat(tensors.get("f").doubles()).startsWith(1, -2.5);
      assertThat(tensors.get("l").longs()).containsExactly(Long.MIN_VALUE, 7);
      assertThat(tensors.get("b").bytes()).containsExactly(-1, 2, 3);
      assertThat(tensors.get("b").longs()).containsExactly(255, 2, 3);
      assertThat(tensors.get("o").booleans()).containsExactly(true, false);
      assertThat(tensors.get("empty").floats()).isEmpty();
      assertThat(tensors.get("scalar").shape()).isEmpty();
      assertThat(tensors.get("scalar").longs()).containsExactly(3);
    }
  }

  @Test
  void alignsEveryTensorThatItWrites() throws IOException {
    Path file = folder.resolve("aligned.safetensors");
    new SafetensorsWriter()
        .bytes("a", new byte[3], 3)
        .longs("b", new long[1])
        .floats("c", new float[1], 1)
        .write(file);
    byte[] bytes = Files.readAllBytes(file);

    long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertThat(header % 8).isZero();
    String text = new String(bytes, 8, (int) header, StandardCharsets.UTF_8);
    assertThat(text.indexOf("\"b\"")).isLessThan(text.indexOf("\"c\""));
    assertThat(text.indexOf("\"c\"")).isLessThan(text.indexOf("\"a\""));
  }

  @Test
  void widensNarrowTypesExactly() throws IOException {
    Path file = folder.resolve("narrow.safetensors");
    new SafetensorsWriter()
        .add("bf16", StoredType.BF16, shorts(0x3FC0, 0xC000), 2)
        .add("f16", StoredType.F16, shorts(0x3E00, 0xC000), 2)
        .add("i16", StoredType.I16, shorts(0xFFFF, 2), 2)
        .add("u16", StoredType.U16, shorts(0xFFFF, 2), 2)
        .add("i32", StoredType.I32, shorts(0xFFFF, 0xFFFF), 1)
        .add("u32", StoredType.U32, shorts(0xFFFF, 0xFFFF), 1)
        .add("i8", StoredType.I8, shorts(0x02FF), 2)
        .add("u64", StoredType.U64, shorts(1, 0, 0, 0x8000), 1)
        .add("f64", StoredType.F64, shorts(0, 0, 0, 0x3FF8), 1)
        .write(file);
    try (Safetensors tensors = Safetensors.open(file)) {
      assertThat(tensors.get("bf16").floats()).containsExactly(1.5f, -2);
      assertThat(tensors.get("f16").floats()).containsExactly(1.5f, -2);
      assertThat(tensors.get("f16").doubles()).containsExactly(1.5, -2);
      assertThat(tensors.get("f64").doubles()).containsExactly(1.5);
      assertThat(tensors.get("i16").longs()).containsExactly(-1, 2);
      assertThat(tensors.get("u16").longs()).containsExactly(65535, 2);
      assertThat(tensors.get("i32").longs()).containsExactly(-1);
      assertThat(tensors.get("u32").longs()).containsExactly(0xffff_ffffL);
      assertThat(tensors.get("i8").longs()).containsExactly(-1, 2);
      assertThatThrownBy(() -> tensors.get("u64").longs())
          .hasMessage(file + ": tensor 'u64' is U64 [1]; expected integers below 2^63");
    }
  }

  private static MemorySegment shorts(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(values).forEach(value -> bytes.putShort((short) value));
    return MemorySegment.ofArray(bytes.array());
  }

  @Test
  void refusesToReadATypeAsAnother() throws IOException {
    Path file = folder.resolve("types.safetensors");
    new SafetensorsWriter().longs("l", new long[2], 2).floats("f", new float[2], 2).write(file);
    try (Safetensors tensors = Safetensors.open(file)) {
      assertThatThrownBy(() -> tensors.get("l").floats())
          .isInstanceOf(CheckpointException.class)
          .hasMessage(
              file + ": tensor 'l' is I64 [2]; expected floating-point numbers of at most 32 bits");
      assertThatThrownBy(() -> tensors.get("f").longs()).hasMessageContaining("integers");
      assertThatThrownBy(() -> tensors.get("f").bytes()).hasMessageContaining("bytes");
      assertThatThrownBy(() -> tensors.get("f").booleans()).hasMessageContaining("booleans");
      assertThatThrownBy(() -> tensors.get("l").parameter()).hasMessageContaining("weights");
      assertThatThrownBy(() -> tensors.get("x")).hasMessage(file + ": there is no tensor 'x'");
    }
  }

  @Test
  void givesWeightsAsMatrices() throws IOException {
    Path file = folder.resolve("weights.safetensors");
    new SafetensorsWriter()
        .floats("kernel", new float[24], 2, 3, 2, 2)
        .floats("vector", new float[5], 5)
        .write(file);
    try (Safetensors tensors = Safetensors.open(file)) {
      Parameter kernel = tensors.get("kernel").parameter();
      assertThat(List.of(kernel.rows(), kernel.columns())).containsExactly(2, 12);
      assertThat(kernel.type()).isEqualTo(DType.F32);
      Parameter vector = tensors.get("vector").parameter();
      assertThat(List.of(vector.rows(), vector.columns())).containsExactly(1, 5);
    }
  }

  @Test
  void cannotBeReadAfterItIsClosed() throws IOException {
    Path file = folder.resolve("closed.safetensors");
    new SafetensorsWriter().floats("f", new float[1], 1).write(file);
    Safetensors tensors = Safetensors.open(file);
    StoredTensor tensor = tensors.get("f");
    tensors.close();
    tensors.close();

    assertThatThrownBy(tensor::floats).isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      textBlock =
"""
{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | the header is not JSON without duplicate names
not json                                                                     | the header is not JSON
[1]                                                                          | the header is not a JSON object
{} {}                                                                        | the header is not JSON
{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}                       | tensor 'a' has the unknown dtype "F31"
{"a":{"shape":[2],"data_offsets":[0,8]}}                                     | tensor 'a' has the unknown dtype
{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}                      | tensor 'a' has shape [-2]
{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}                         | tensor 'a' has shape 2; expected an array
{"a":{"dtype":"F32","shape":[2]}}                                            | tensor 'a' has data_offsets ; expected two integers
{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8.5]}}                     | tensor 'a' has data_offsets [0,8.5]
{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}                      | tensor 'a' claims bytes 0 to 16 of the 8 that follow
{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}                       | tensor 'a' claims bytes 8 to 0
{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}                      | tensor 'a' claims bytes -8 to 0
{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}                       | tensor 'a' claims 8 bytes, which are not F32 of shape [3]
{"a":{"dtype":"F32","shape":[2147483647,2147483647,4],"data_offsets":[0,8]}} | which are not F32 of shape
{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,8]}}                       | which are not F32 of shape [0]
{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | tensor 'b' begins at byte 0, inside of 'a'
{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}                       | bytes 0 to 4 before tensor 'a' belong to no tensor
{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}                       | 4 bytes behind the last tensor belong to no tensor
{"__metadata__":{"x":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | __metadata__ entry 'x' is not text
{"__metadata__":[],"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}     | __metadata__ is not a JSON object
""")
  void refusesHeadersThatLie(String header, String message) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);

    assertRefused(file(text.length, text, 8), message);
  }

  @Test
  void refusesHeadersThatAreLongerThanTheFile() throws IOException {
    assertRefused(file(100, new byte[] {'{', '}'}, 0), "the header claims 100 bytes, but only 2");
    assertRefused(file(-1, new byte[] {'{', '}'}, 0), "claims 18446744073709551615 bytes");
    assertRefused(file(1L << 40, new byte[] {'{', '}'}, 0), "expected at most 100000000");
    assertRefused(Files.write(folder.resolve("short"), new byte[7]), "7 bytes are too few");
    assertRefused(Files.write(folder.resolve("empty"), new byte[0]), "0 bytes are too few");
    assertRefused(file(2, new byte[] {(byte) 0xff, '}'}, 0), "the header is not UTF-8 text");
    assertRefused(folder.resolve("absent"), "there is no such file");
  }

  private Path file(long claimed, byte[] header, int dataBytes) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(claimed).put(header);
    return Files.write(folder.resolve("bad.safetensors"), bytes.array());
  }

  private static void assertRefused(Path file, String message) {
    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }
}
