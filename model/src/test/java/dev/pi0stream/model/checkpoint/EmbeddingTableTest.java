package dev.pi0stream.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Which of its two names holds the embedding table. The stored checkpoint has both, untied and
 * different, as LeRobot saves them.
 */
class EmbeddingTableTest {
  private static final Path STORED = Path.of("../tests/golden/checkpoints/pi0-tiny");
  private static final String PREFIX = "model.paligemma_with_expert.paligemma.";
  private static final String TABLE = PREFIX + "model.language_model.embed_tokens.weight";
  private static final String HEAD = PREFIX + "lm_head.weight";

  @TempDir private Path folder;

  @Test
  void ofEqualTypesEmbedTokensCounts() {
    try (Checkpoint checkpoint = Checkpoint.open(STORED)) {
      assertThat(checkpoint.embedding().name()).isEqualTo(TABLE);
      assertThat(checkpoint.unused()).contains(HEAD).doesNotContain(TABLE);
    }
  }

  @Test
  void lmHeadCountsWhereItIsAlone() throws IOException {
    write(StoredType.F32, null);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.embedding().name()).isEqualTo(HEAD);
      assertThat(checkpoint.unused()).doesNotContain(HEAD);
    }
  }

  @Test
  void lmHeadCountsWhereItComesLaterInTheFileAsANarrowerType() throws IOException {
    write(StoredType.BF16, StoredType.F32);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.embedding().name()).isEqualTo(HEAD);
      assertThat(checkpoint.unused()).contains(TABLE).doesNotContain(HEAD);
    }
  }

  @Test
  void embedTokensCountsWhereItIsTheNarrowerType() throws IOException {
    write(StoredType.F32, StoredType.BF16);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.embedding().name()).isEqualTo(TABLE);
    }
  }

  /** The stored checkpoint with its two tables in other types; none where the type is null. */
  private void write(StoredType head, StoredType table) throws IOException {
    for (String name : new String[] {PolicyConfig.FILE, DimensionsReader.FILE}) {
      Files.copy(STORED.resolve(name), folder.resolve(name));
    }
    SafetensorsWriter writer = new SafetensorsWriter();
    try (Safetensors stored = Safetensors.open(STORED.resolve(ShardedTensors.SINGLE))) {
      for (StoredTensor tensor : stored.all()) {
        StoredType type =
            switch (tensor.name()) {
              case HEAD -> head;
              case TABLE -> table;
              default -> tensor.type();
            };
        if (type != null) {
          writer.tensor(as(type, tensor));
        }
      }
      writer.write(folder.resolve(ShardedTensors.SINGLE));
    }
  }

  private static StoredTensor as(StoredType type, StoredTensor tensor) {
    if (type == tensor.type()) {
      return tensor;
    }
    float[] values = tensor.floats();
    short[] upper = new short[values.length];
    for (int i = 0; i < upper.length; i++) {
      upper[i] = (short) (Float.floatToRawIntBits(values[i]) >>> 16);
    }
    return new StoredTensor(
        tensor.name(), type, tensor.shape(), MemorySegment.ofArray(upper), tensor.file());
  }
}
