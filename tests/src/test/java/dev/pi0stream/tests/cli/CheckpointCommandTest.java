package dev.pi0stream.tests.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.SafetensorsWriter;
import dev.pi0stream.model.checkpoint.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pi0 checkpoint} describes what could be served and refuses what could not. */
class CheckpointCommandTest {
  private static final Path SOURCE = Path.of("golden/checkpoints/pi0-tiny");
  private static final String WEIGHTS = "model.safetensors";
  private static final String STATISTICS =
      "policy_preprocessor_step_6_normalizer_processor.safetensors";

  @TempDir private Path folder;

  @BeforeEach
  void copyACheckpoint() throws IOException {
    try (Stream<Path> files = Files.list(SOURCE)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  @Test
  void describesAPi0Checkpoint() {
    CommandLineRun run = CommandLineRun.of("checkpoint", folder.toString());

    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .containsPattern("policy +pi0, stored by lerobot")
        .containsPattern("cameras +base_0_rgb, left_wrist_0_rgb, right_wrist_0_rgb at 224 × 224")
        .containsPattern("vision +width 48, 3 layers, 2 heads, MLP 112, patches of 14")
        .containsPattern("backbone +width 64, 3 layers, 4 query and 1 key/value heads of 32")
        .containsPattern("expert +width 48, 3 layers")
        .containsPattern("state +14, padded to 32, MEAN_STD by mean and std")
        .containsPattern("tokenizer +1141 entries, prompts of at most 48 tokens")
        .containsPattern("surplus +none")
        .containsPattern("servable +yes");
  }

  @Test
  void describesAPi05CheckpointAsJson() throws IOException {
    Path json = folder.resolve("report.json");

    CommandLineRun run =
        CommandLineRun.of("checkpoint", "golden/checkpoints/pi05-tiny", "--json", json.toString());

    assertThat(run.code()).isZero();
    JsonNode report = new ObjectMapper().readTree(json.toFile());
    assertThat(report.path("servable").asBoolean()).isTrue();
    assertThat(report.path("network").path("type").asText()).isEqualTo("pi05");
    assertThat(report.path("network").path("chunkSize").asInt()).isEqualTo(20);
    assertThat(report.path("weights").path("types").path("F32").asLong())
        .isEqualTo(report.path("weights").path("parameters").asLong())
        .isEqualTo(numbersIn(Path.of("golden/checkpoints/pi05-tiny").resolve(WEIGHTS)));
    assertThat(report.path("weights").path("used").asLong())
        .isLessThan(report.path("weights").path("parameters").asLong());
    assertThat(report.path("robot").path("actions").path("normalization").asText())
        .isEqualTo("QUANTILES");
    assertThat(report.path("robot").path("actions").path("dimensions").asInt()).isEqualTo(7);
  }

  private static long numbersIn(Path file) {
    try (Safetensors tensors = Safetensors.open(file)) {
      return tensors.all().stream().mapToLong(StoredTensor::count).sum();
    }
  }

  @Test
  void namesTensorsThatNoPolicyHas() throws IOException {
    rewrite(
        WEIGHTS,
        tensors -> {
          StoredTensor any = tensors.get("model.action_out_proj.bias");
          tensors.put(
              "model.mystery.bias",
              new StoredTensor(
                  "model.mystery.bias", any.type(), any.shape(), any.data(), any.file()));
        });

    CommandLineRun run = CommandLineRun.of("checkpoint", folder.toString());

    assertThat(run.code()).isZero();
    assertThat(run.out()).containsPattern("surplus +1 tensors\n +model.mystery.bias");
  }

  @Test
  void refusesAFolderThatIsNotThere() {
    assertRefused(CommandLineRun.of("checkpoint", folder.resolve("nowhere").toString()), "nowhere");
  }

  @Test
  void refusesAMissingTensor() throws IOException {
    rewrite(WEIGHTS, tensors -> tensors.remove("model.action_in_proj.weight"));

    assertRefused("action_in_proj.weight", "missing");
  }

  @Test
  void refusesATensorOfAnotherShape() throws IOException {
    rewrite(
        WEIGHTS,
        tensors -> {
          String name = "model.action_in_proj.weight";
          StoredTensor old = tensors.get(name);
          tensors.put(
              name,
              new StoredTensor(name, old.type(), old.shape().reversed(), old.data(), old.file()));
        });

    assertRefused("action_in_proj.weight", "[32, 48]", "[48, 32]");
  }

  @Test
  void refusesWeightsThatAreCutOff() throws IOException {
    byte[] bytes = Files.readAllBytes(folder.resolve(WEIGHTS));
    Files.write(folder.resolve(WEIGHTS), Arrays.copyOf(bytes, bytes.length - 1000));

    assertRefused(WEIGHTS);
  }

  @Test
  void refusesAConfigurationWithoutAField() throws IOException {
    Path config = folder.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("chunk_size", "chunk_sighs"));

    assertRefused("config.json", "chunk_size");
  }

  @Test
  void refusesMissingStatisticsButDescribesTheNetwork() throws IOException {
    rewrite(STATISTICS, tensors -> tensors.remove("observation.state.std"));

    CommandLineRun run = assertRefused(STATISTICS, "observation.state.std", "MEAN_STD needs it");
    assertThat(run.out()).containsPattern("policy +pi0").containsPattern("servable +no");
  }

  @Test
  void refusesAMissingTokenizer() throws IOException {
    Files.delete(folder.resolve("tokenizer.json"));

    assertRefused("tokenizer.json");
  }

  @Test
  void writesTheReasonAsJson() throws IOException {
    Files.delete(folder.resolve("tokenizer.json"));
    Path json = folder.resolve("report.json");

    CommandLineRun.of("checkpoint", folder.toString(), "--json", json.toString());

    JsonNode report = new ObjectMapper().readTree(json.toFile());
    assertThat(report.path("servable").asBoolean(true)).isFalse();
    assertThat(report.path("reason").asText()).contains("tokenizer.json");
    assertThat(report.path("network").path("type").asText()).isEqualTo("pi0");
  }

  @Test
  void writesAGoldenObservationWhenAsked() {
    assertThat(CommandLineRun.of("checkpoint", folder.toString()).out())
        .containsPattern("golden +none");

    CommandLineRun run = CommandLineRun.of("checkpoint", "--golden", folder.toString());

    assertThat(run.code()).isZero();
    assertThat(folder.resolve("golden.safetensors")).exists();
    assertThat(run.out()).contains("golden.safetensors, proved before serving");
  }

  @Test
  void showsWhereAFailureCameFromWhenAsked() {
    CommandLineRun run =
        CommandLineRun.of("checkpoint", "--verbose", folder.resolve("nowhere").toString());

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("\tat dev.pi0stream.model.checkpoint.Checkpoint.open");
  }

  private CommandLineRun assertRefused(String... parts) {
    return assertRefused(CommandLineRun.of("checkpoint", folder.toString()), parts);
  }

  private static CommandLineRun assertRefused(CommandLineRun run, String... parts) {
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).startsWith("pi0 checkpoint: ").contains(parts);
    return run;
  }

  private void rewrite(String file, Consumer<Map<String, StoredTensor>> change) throws IOException {
    Path changed = folder.resolve("changed");
    try (Safetensors source = Safetensors.open(folder.resolve(file))) {
      Map<String, StoredTensor> tensors = new TreeMap<>();
      source.all().forEach(tensor -> tensors.put(tensor.name(), tensor));
      change.accept(tensors);
      SafetensorsWriter writer = new SafetensorsWriter();
      tensors.values().forEach(writer::tensor);
      writer.write(changed);
    }
    Files.move(changed, folder.resolve(file), StandardCopyOption.REPLACE_EXISTING);
  }
}
