package dev.pi0stream.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.device.Heads;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints in all the forms that are stored somewhere, made from LeRobot's own. */
class CheckpointTest {
  private static final Path GOLDEN = Path.of("../tests/golden/checkpoints");
  private static final JsonMapper JSON = new JsonMapper();
  private static final String TABLE =
      "model.paligemma_with_expert.paligemma.model.language_model.embed_tokens.weight";
  private static final String HEAD = "model.paligemma_with_expert.paligemma.lm_head.weight";

  @TempDir Path folder;

  /** The tensors of a checkpoint, to be changed and written to {@link #folder}. */
  private final class Copy implements AutoCloseable {
    private final Safetensors source;
    private final Map<String, StoredTensor> tensors = new TreeMap<>();

    Copy(String type) throws IOException {
      Path original = GOLDEN.resolve(type + "-tiny");
      for (String name : List.of("config.json", "dimensions.json")) {
        Files.copy(original.resolve(name), folder.resolve(name));
      }
      source = Safetensors.open(original.resolve("model.safetensors"));
      source.all().forEach(tensor -> tensors.put(tensor.name(), tensor));
    }

    Copy rename(UnaryOperator<String> renaming) {
      List<StoredTensor> all = List.copyOf(tensors.values());
      tensors.clear();
      for (StoredTensor old : all) {
        put(
            new StoredTensor(
                renaming.apply(old.name()), old.type(), old.shape(), old.data(), old.file()));
      }
      return this;
    }

    void put(StoredTensor tensor) {
      tensors.put(tensor.name(), tensor);
    }

    Copy narrow(StoredType type) {
      for (StoredTensor old : List.copyOf(tensors.values())) {
        float[] values = old.floats();
        ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
          bytes.putShort(
              type == StoredType.F16
                  ? Float.floatToFloat16(value)
                  : (short) (Float.floatToRawIntBits(value) >>> 16));
        }
        put(
            new StoredTensor(
                old.name(), type, old.shape(), MemorySegment.ofArray(bytes.array()), old.file()));
      }
      return this;
    }

    Path write() throws IOException {
      SafetensorsWriter writer = new SafetensorsWriter();
      tensors.values().forEach(writer::tensor);
      writer.write(folder.resolve("model.safetensors"));
      return folder;
    }

    /** Every nth tensor in the same shard. */
    Path writeShards(int count) throws IOException {
      ObjectNode index = JSON.createObjectNode();
      ObjectNode map = index.putObject("weight_map");
      SafetensorsWriter[] writers = new SafetensorsWriter[count];
      Arrays.setAll(writers, _ -> new SafetensorsWriter());
      int next = 0;
      for (StoredTensor tensor : tensors.values()) {
        writers[next % count].tensor(tensor);
        map.put(tensor.name(), shard(next % count));
        next++;
      }
      for (int i = 0; i < count; i++) {
        writers[i].write(folder.resolve(shard(i)));
      }
      JSON.writeValue(folder.resolve("model.safetensors.index.json").toFile(), index);
      return folder;
    }

    private static String shard(int index) {
      return "model-%05d.safetensors".formatted(index);
    }

    @Override
    public void close() {
      source.close();
    }
  }

  @Test
  void readsSizesFromTensorsAndDimensions() {
    try (Checkpoint checkpoint = Checkpoint.open(GOLDEN.resolve("pi0-tiny"))) {
      Dimensions dimensions = checkpoint.dimensions();
      assertThat(dimensions.vision()).isEqualTo(new Dimensions.Vision(48, 112, 3, 2, 14, 16));
      assertThat(dimensions.language())
          .isEqualTo(new Dimensions.Stack(64, 136, 3, new Heads(4, 1, 32)));
      assertThat(dimensions.expert())
          .isEqualTo(new Dimensions.Stack(48, 96, 3, new Heads(4, 1, 32)));
      assertThat(dimensions.vocabulary()).isEqualTo(1141);
      assertThat(checkpoint.surplus()).isEmpty();
      assertThat(checkpoint.unused())
          .contains(HEAD, "model.paligemma_with_expert.gemma_expert.lm_head.weight")
          .anyMatch(name -> name.endsWith("language_model.layers.2.mlp.up_proj.weight"))
          .noneMatch(name -> name.endsWith("language_model.layers.2.self_attn.k_proj.weight"))
          .noneMatch(name -> name.endsWith("language_model.layers.1.mlp.up_proj.weight"))
          .doesNotContain(TABLE);
      assertThat(checkpoint.types()).containsOnlyKeys(StoredType.F32);
      assertThat(checkpoint.bytes()).isEqualTo(4 * checkpoint.parameters());
      assertThat(checkpoint.usedParameters()).isLessThan(checkpoint.parameters());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pi0", "pi05"})
  void takesEveryNamingForTheSameWeights(String type) throws IOException {
    try (Checkpoint original = Checkpoint.open(GOLDEN.resolve(type + "-tiny"))) {
      String timeMlp = type.equals("pi0") ? "action_time_mlp_" : "time_mlp_";
      String otherTimeMlp = type.equals("pi0") ? "time_mlp_" : "action_time_mlp_";
      List<UnaryOperator<String>> namings =
          List.of(
              name -> name.substring("model.".length()),
              name ->
                  name.replace("paligemma.model.language_model.", "paligemma.language_model.model.")
                      .replace("paligemma.lm_head.", "paligemma.language_model.lm_head.")
                      .replace("paligemma.model.vision_tower.", "paligemma.vision_tower.")
                      .replace(
                          "paligemma.model.multi_modal_projector.",
                          "paligemma.multi_modal_projector."),
              name -> name.replace(timeMlp, otherTimeMlp));
      for (UnaryOperator<String> naming : namings) {
        try (Copy copy = new Copy(type);
            Checkpoint renamed = Checkpoint.open(copy.rename(naming).write())) {
          assertSameWeights(renamed, original);
          assertThat(renamed.surplus()).isEmpty();
        }
        Files.delete(folder.resolve("config.json"));
        Files.delete(folder.resolve("dimensions.json"));
      }
    }
  }

  @Test
  void takesShards() throws IOException {
    try (Checkpoint original = Checkpoint.open(GOLDEN.resolve("pi05-tiny"));
        Copy copy = new Copy("pi05");
        Checkpoint sharded = Checkpoint.open(copy.writeShards(3))) {
      assertSameWeights(sharded, original);
      assertThat(sharded.parameters()).isEqualTo(original.parameters());
      assertThat(sharded.files()).hasSize(4);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"F16", "BF16"})
  void takesNarrowWeights(String type) throws IOException {
    StoredType stored = StoredType.valueOf(type);
    try (Copy copy = new Copy("pi0");
        Checkpoint narrow = Checkpoint.open(copy.narrow(stored).write())) {
      assertThat(narrow.types()).containsOnlyKeys(stored);
      float[] expected = copy.source.get("model.action_in_proj.weight").floats();
      float[] found = narrow.weights().matrix("action_in_proj.weight", 48, 32).toFloats();
      for (int i = 0; i < expected.length; i++) {
        assertThat(Math.abs(found[i] - expected[i])).isLessThan(Math.abs(expected[i]) / 100);
      }
    }
  }

  @Test
  void takesTheEmbeddingTableWhereverItLies() throws IOException {
    try (Copy copy = new Copy("pi0")) {
      float[] table = copy.tensors.get(TABLE).floats();
      float[] head = copy.tensors.get(HEAD).floats();
      try (Checkpoint both = Checkpoint.open(copy.write())) {
        assertThat(both.embedding().toFloats()).isEqualTo(table);
      }
      StoredTensor removed = copy.tensors.remove(TABLE);
      try (Checkpoint headOnly = Checkpoint.open(copy.write())) {
        assertThat(headOnly.embedding().toFloats()).isEqualTo(head);
        assertThat(headOnly.unused()).doesNotContain(HEAD);
      }
      copy.put(removed);
      copy.tensors.remove(HEAD);
      try (Checkpoint tableOnly = Checkpoint.open(copy.write())) {
        assertThat(tableOnly.embedding().toFloats()).isEqualTo(table);
      }
      copy.tensors.remove(TABLE);
      copy.write();
      assertRefused("the embedding table is missing");
    }
  }

  @Test
  void listsSurplusTensors() throws IOException {
    try (Copy copy = new Copy("pi05")) {
      copy.put(
          new StoredTensor(
              "model.state_proj.weight",
              StoredType.F32,
              List.of(1),
              MemorySegment.ofArray(new byte[4]),
              folder));
      try (Checkpoint checkpoint = Checkpoint.open(copy.write())) {
        assertThat(checkpoint.surplus()).containsExactly("model.state_proj.weight");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "action_out_proj.bias",
        "state_proj.weight",
        "paligemma_with_expert.gemma_expert.model.layers.1.mlp.up_proj.weight",
        "paligemma_with_expert.gemma_expert.model.norm.weight",
        "paligemma_with_expert.paligemma.model.language_model.layers.0.self_attn.q_proj.weight",
        "paligemma_with_expert.paligemma.model.vision_tower.vision_model.encoder.layers.2"
            + ".layer_norm1.bias",
        "paligemma_with_expert.paligemma.model.vision_tower.vision_model.embeddings"
            + ".position_embedding.weight"
      })
  void refusesToDoWithoutATensor(String name) throws IOException {
    try (Copy copy = new Copy("pi0")) {
      assertThat(copy.tensors.remove("model." + name)).isNotNull();
      copy.write();
      assertRefused("tensor '" + name + "'", "is missing");
    }
  }

  @Test
  void refusesTensorsOfAnotherShape() throws IOException {
    try (Copy copy = new Copy("pi0")) {
      StoredTensor old = copy.tensors.get("model.action_in_proj.weight");
      copy.put(new StoredTensor(old.name(), old.type(), List.of(32, 48), old.data(), old.file()));
      copy.write();
      assertRefused("tensor 'model.action_in_proj.weight' has shape [32, 48]; expected [48, 32]");
    }
  }

  @Test
  void refusesTensorsThatAreNoWeights() throws IOException {
    try (Copy copy = new Copy("pi0")) {
      copy.put(
          new StoredTensor(
              "model.action_out_proj.bias",
              StoredType.I64,
              List.of(32),
              MemorySegment.ofArray(new byte[256]),
              folder));
      copy.write();
      assertRefused("tensor 'model.action_out_proj.bias' is I64; expected F32, F16 or BF16");
    }
  }

  @Test
  void refusesTwoNamesForOneTensor() throws IOException {
    try (Copy copy = new Copy("pi0")) {
      StoredTensor old = copy.tensors.get("model.state_proj.bias");
      copy.put(
          new StoredTensor("state_proj.bias", old.type(), old.shape(), old.data(), old.file()));
      copy.write();
      assertRefused(
          "tensors 'model.state_proj.bias' and 'state_proj.bias' are both 'state_proj.bias'");
    }
  }

  @Test
  void refusesAMissingShard() throws IOException {
    try (Copy copy = new Copy("pi0")) {
      copy.writeShards(3);
      Files.delete(folder.resolve("model-00001.safetensors"));
      assertRefused("the shard model-00001.safetensors is not there");
    }
  }

  @Test
  void refusesAnIndexThatLies() throws IOException {
    try (Copy copy = new Copy("pi0")) {
      copy.writeShards(2);
      Path index = folder.resolve("model.safetensors.index.json");
      String good = Files.readString(index);

      Files.writeString(index, good.replaceFirst("model-00000", "model-00001"));
      assertRefused("lies in this shard, but model.safetensors.index.json places it in");
      Files.writeString(index, good.replace("\"model.state_proj.bias\"", "\"other\""));
      assertRefused("places it nowhere");
      Files.writeString(index, good.replaceFirst("model-00000", "../model-00000"));
      assertRefused("expected the name of a file in the same folder");
      Files.writeString(
          index,
          good.replaceFirst("\\{\"weight_map\":\\{", "$0\"ghost\":\"model-00000.safetensors\","));
      assertRefused("tensor 'ghost' is not there");
      Files.writeString(index, "{}");
      assertRefused("there is no object 'weight_map'");
    }
  }

  @Test
  void refusesFoldersWithoutWeightsOrConfiguration() throws IOException {
    assertRefused("there are no weights");
    assertThatThrownBy(() -> Checkpoint.open(folder.resolve("absent")))
        .hasMessageContaining("there is no such folder");
    try (Copy copy = new Copy("pi0")) {
      copy.write();
      Files.delete(folder.resolve("config.json"));
      assertRefused("config.json: there is no such file");
    }
  }

  @Test
  void refusesContradictions() throws IOException {
    try (Copy copy = new Copy("pi0")) {
      copy.write();
      String dimensions = Files.readString(folder.resolve("dimensions.json"));
      assertDimensionsRefused(
          dimensions.replace("\"mlp\": 136", "\"mlp\": 137"),
          "field 'language.mlp' is 137, but the tensors make it 136");
      assertDimensionsRefused(
          dimensions.replace("\"head_dim\": 32", "\"head_dim\": 30"), "but tensors");
      assertDimensionsRefused(
          dimensions.replace("\"heads\": 2,", "\"heads\": 5,"),
          "field 'vision.heads' is 5; expected a divisor of the width, which is 48");
      assertDimensionsRefused(
          dimensions.replace("\"vocabulary\": 1141", "\"vocabulary\": 1142"),
          "field 'vocabulary' is 1142, but the tensors make it 1141");
      assertDimensionsRefused(
          dimensions.replace("\"policy\": \"pi0\"", "\"policy\": \"pi05\""), "field 'policy'");
      assertDimensionsRefused(
          dimensions.replace("224", "112"), "has positions for 16 × 16 patches of 14 pixels");
      assertDimensionsRefused(
          dimensions.replace("\"kv_heads\": 1,", ""), "field 'language.kv_heads' is missing");
      Files.delete(folder.resolve("dimensions.json"));
      assertRefused("the number of heads of 'vision' does not follow");
    }
    Files.copy(
        GOLDEN.resolve("pi05-tiny/config.json"),
        folder.resolve("config.json"),
        StandardCopyOption.REPLACE_EXISTING);
    assertRefused("field 'type' is pi05, but the tensors are those of pi0");
  }

  private void assertDimensionsRefused(String dimensions, String message) throws IOException {
    Files.writeString(folder.resolve("dimensions.json"), dimensions);
    assertRefused(message);
  }

  @Test
  void replacesFieldsOfTheConfiguration() throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(GOLDEN.resolve("pi0-tiny"))) {
      JsonNode longer = JSON.readTree("{\"chunk_size\": 50, \"image_resolution\": [112, 112]}");
      Checkpoint changed = checkpoint.with(longer);
      assertThat(changed.config().chunkSize()).isEqualTo(50);
      assertThat(changed.config().imageResolution()).isEqualTo(112);
      assertThat(changed.id()).isNotEqualTo(checkpoint.id());
      assertThatThrownBy(() -> checkpoint.with(JSON.readTree("{\"max_action_dim\": 14}")))
          .hasMessageContaining("expected [48, 14]");
      assertThatThrownBy(() -> checkpoint.with(JSON.readTree("{\"image_resolution\": [99, 99]}")))
          .hasMessageContaining("expected a multiple of the patch, which is 14");
    }
  }

  @Test
  void isIdentifiedByWhatItIs() throws IOException {
    try (Copy copy = new Copy("pi0")) {
      String id;
      try (Checkpoint checkpoint = Checkpoint.open(copy.write())) {
        id = checkpoint.id();
        assertThat(id).matches("[0-9a-f]{64}");
        assertThat(checkpoint.id()).isEqualTo(id);
      }
      try (Checkpoint again = Checkpoint.open(copy.write())) {
        assertThat(again.id()).isEqualTo(id);
      }
      copy.tensors.remove(HEAD);
      try (Checkpoint other = Checkpoint.open(copy.write())) {
        assertThat(other.id()).isNotEqualTo(id);
      }
    }
  }

  /** A file of the published sizes, of which only the header is there: the rest is a hole. */
  @ParameterizedTest
  @CsvSource({"pi0, 3501372176", "pi05, 3616757520"})
  void knowsThePublishedSizes(String type, long parameters) throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"action_dim": 32, "action_horizon": 50, "paligemma_variant": "gemma_2b",
         "action_expert_variant": "gemma_300m", "precision": "bfloat16"}
        """);
    PolicyType policy = PolicyType.valueOf(type.toUpperCase(Locale.ROOT));
    Heads heads = new Heads(8, 1, 256);
    Dimensions published =
        new Dimensions(
            new Dimensions.Vision(1152, 4304, 27, 16, 14, 16),
            new Dimensions.Stack(2048, 16384, 18, heads),
            new Dimensions.Stack(1024, 4096, 18, heads),
            257152,
            10_000,
            1e-6f,
            1e-6f);
    Map<String, List<Integer>> shapes =
        Architecture.shapes(PolicyConfig.read(folder.resolve("config.json"), policy), published);
    shapes.put(TensorNames.LANGUAGE_HEAD, List.of(257152, 2048));
    shapes.put(TensorNames.EXPERT_HEAD, List.of(257152, 1024));
    writeHole(shapes);

    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.dimensions()).isEqualTo(published);
      assertThat(checkpoint.config().type()).isEqualTo(policy);
      assertThat(checkpoint.parameters()).isEqualTo(parameters);
      assertThat(checkpoint.surplus()).isEmpty();
    }
  }

  private void writeHole(Map<String, List<Integer>> shapes) throws IOException {
    ObjectNode header = JSON.createObjectNode();
    long offset = 0;
    for (Map.Entry<String, List<Integer>> entry : shapes.entrySet()) {
      ObjectNode tensor = header.putObject(entry.getKey());
      tensor.put("dtype", "BF16");
      tensor.set("shape", JSON.valueToTree(entry.getValue()));
      long bytes = entry.getValue().stream().mapToLong(size -> size).reduce(2, Math::multiplyExact);
      tensor.putArray("data_offsets").add(offset).add(offset + bytes);
      offset += bytes;
    }
    byte[] text = JSON.writeValueAsBytes(header);
    ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
      file.write(length.putLong(text.length).array());
      file.write(text);
      file.setLength(8 + text.length + offset);
    }
  }

  /** openpi's converter writes no type; the tensors tell π0.5. */
  @ParameterizedTest
  @ValueSource(strings = {"pi0", "pi05"})
  void readsOpenpisForm(String type) throws IOException {
    try (Copy copy = new Copy(type)) {
      Files.writeString(
          folder.resolve("config.json"),
          """
          {"action_dim": 32, "action_horizon": 10, "paligemma_variant": "gemma_2b",
           "action_expert_variant": "gemma_300m", "precision": "float32"}
          """);
      copy.tensors.remove(TABLE);
      copy.rename(name -> name.substring("model.".length()));
      try (Checkpoint checkpoint = Checkpoint.open(copy.write())) {
        PolicyConfig config = checkpoint.config();
        assertThat(config.origin()).isEqualTo(Origin.OPENPI);
        assertThat(config.typeName()).isEqualTo(type);
        assertThat(config.maxTokens()).isEqualTo(type.equals("pi0") ? 48 : 200);
        assertThat(config.chunkSize()).isEqualTo(10);
        assertThat(config.cameras())
            .containsExactly("base_0_rgb", "left_wrist_0_rgb", "right_wrist_0_rgb");
      }
    }
  }

  private static void assertSameWeights(Checkpoint found, Checkpoint expected) {
    for (var entry : Architecture.shapes(expected.config(), expected.dimensions()).entrySet()) {
      int rows = entry.getValue().size() == 1 ? 1 : entry.getValue().getFirst();
      int columns = entry.getValue().stream().reduce(1, Math::multiplyExact) / rows;
      assertThat(found.weights().matrix(entry.getKey(), rows, columns).toFloats())
          .as(entry.getKey())
          .isEqualTo(expected.weights().matrix(entry.getKey(), rows, columns).toFloats());
    }
    assertThat(found.embedding().toFloats()).isEqualTo(expected.embedding().toFloats());
  }

  private void assertRefused(String... message) {
    assertThatThrownBy(() -> Checkpoint.open(folder).close())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(message)
        .message()
        .startsWith(folder.toString())
        .doesNotContain("\n");
  }
}
