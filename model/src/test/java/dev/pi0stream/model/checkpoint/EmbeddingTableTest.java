package dev.pi0stream.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which of two stored embedding tables counts: the one that LeRobot's loader ends up with. */
class EmbeddingTableTest {
  private static final Path SOURCE = Path.of("../tests/golden/checkpoints/pi0-tiny");
  private static final String TABLE = "embed_tokens.weight";
  private static final String HEAD = "paligemma.lm_head.weight";

  @TempDir private Path folder;

  @Test
  void ofOneTypeEmbedTokensCounts() throws IOException {
    store(StoredType.F32, StoredType.F32);

    assertThat(embedding()).endsWith(TABLE);
  }

  @Test
  void lmHeadCountsWhereItsTypeComesLaterInTheFile() throws IOException {
    store(StoredType.F32, StoredType.BF16);
    assertThat(embedding()).endsWith(HEAD);

    store(StoredType.BF16, StoredType.F16);
    assertThat(embedding()).endsWith(HEAD);
  }

  @Test
  void embedTokensCountsWhereItsTypeComesLaterInTheFile() throws IOException {
    store(StoredType.F16, StoredType.F32);

    assertThat(embedding()).endsWith(TABLE);
  }

  @Test
  void theOtherTableIsNotUsed() throws IOException {
    store(StoredType.F32, StoredType.F16);

    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.embedding().type()).isEqualTo(DType.F16);
      assertThat(checkpoint.unused()).anyMatch(name -> name.endsWith(TABLE));
      assertThat(checkpoint.unused()).noneMatch(name -> name.endsWith(HEAD));
    }
  }

  private String embedding() {
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      return checkpoint.embedding().name();
    }
  }

  private void store(StoredType table, StoredType head) throws IOException {
    for (String name : new String[] {"config.json", "dimensions.json"}) {
      Files.deleteIfExists(folder.resolve(name));
      Files.copy(SOURCE.resolve(name), folder.resolve(name));
    }
    SafetensorsWriter writer = new SafetensorsWriter();
    try (Safetensors source = Safetensors.open(SOURCE.resolve("model.safetensors"))) {
      for (StoredTensor tensor : source.all()) {
        if (tensor.name().endsWith(HEAD)) {
          add(writer, tensor, head);
        } else if (tensor.name().endsWith(TABLE)) {
          add(writer, tensor, table);
        } else {
          writer.tensor(tensor);
        }
      }
      writer.write(folder.resolve("model.safetensors"));
    }
  }

  private static void add(SafetensorsWriter writer, StoredTensor tensor, StoredType type) {
    int[] shape = tensor.shape().stream().mapToInt(Integer::intValue).toArray();
    byte[] zeros = new byte[Math.toIntExact(tensor.count() * type.bytes())];
    writer.add(tensor.name(), type, MemorySegment.ofArray(zeros), shape);
  }
}
