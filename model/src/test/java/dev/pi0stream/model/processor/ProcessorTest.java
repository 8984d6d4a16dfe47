package dev.pi0stream.model.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.model.Golden;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.Normalization;
import dev.pi0stream.model.checkpoint.Origin;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyType;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.SafetensorsWriter;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.image.FrameDecoder;
import dev.pi0stream.model.image.ResizeWithPad;
import dev.pi0stream.model.image.RgbImage;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessorTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String STATE_FILE =
      "policy_preprocessor_step_6_normalizer_processor.safetensors";
  private static final String ACTION_FILE =
      "policy_postprocessor_step_0_unnormalizer_processor.safetensors";

  private static final int VOCABULARY = pi0(checkpoint -> checkpoint.dimensions().vocabulary());

  @TempDir private Path folder;

  // ------------------------------------------------------------------ against LeRobot

  @Test
  void wholeCasesOfLeRobotComeOutTheSame() {
    int rows = 0;
    for (JsonNode entry : Golden.manifest().path("cases")) {
      Path directory =
          Golden.FOLDER.resolve(
              Golden.manifest()
                  .path("checkpoints")
                  .path(entry.path("checkpoint").asText())
                  .path("directory")
                  .asText());
      try (Checkpoint checkpoint = Checkpoint.open(directory).with(entry.path("config"));
          Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        Processor processor = Processor.open(checkpoint);
        for (int row = 0; row < entry.path("prompts").size(); row++, rows++) {
          compare(entry, checkpoint.config(), processor, tensors, row);
        }
      }
    }
    assertThat(rows).isGreaterThan(20);
  }

  private static void compare(
      JsonNode entry, PolicyConfig config, Processor processor, Safetensors tensors, int row) {
    String name = entry.path("name").asText();
    Observation observation = observation(entry, tensors, row);
    ModelInput input = processor.prepare(observation);

    long[] tokens = row(tensors.get("tokens").longs(), tensors.get("tokens"), row);
    boolean[] mask = tensors.get("token_mask").booleans();
    int length = 0;
    while (length < tokens.length && mask[row * tokens.length + length]) {
      length++;
    }
    assertThat(Arrays.stream(input.tokens()).asLongStream().toArray())
        .as("tokens of %s", name)
        .isEqualTo(Arrays.copyOf(tokens, length));

    near(
        processor.normalisedState(observation.state()),
        row(tensors, "state.normalised", row),
        2e-6f);
    if (config.type() == PolicyType.PI0) {
      near(input.state(), row(tensors, "state.padded", row), 2e-6f);
    } else {
      assertThat(input.state()).isEmpty();
    }

    for (ModelInput.Image image : input.images()) {
      assertThat(tensors.get("image_mask." + image.camera()).booleans()[row]).isTrue();
      for (StoredTensor stored : tensors.all()) {
        if (stored.name().matches("image\\." + image.camera() + "(\\.every\\d+)?")) {
          int every =
              stored.name().contains(".every")
                  ? Integer.parseInt(stored.name().replaceAll(".*\\.every", ""))
                  : 1;
          near(
              thinned(image.pixels(), config.imageResolution(), every),
              row(tensors, stored.name(), row),
              4e-5f);
        }
      }
    }

    StoredTensor last = tensors.get("x.step" + entry.path("num_steps").asInt());
    near(
        processor.actions(row(tensors, last.name(), row), last.shape().get(1), observation.state()),
        row(tensors, "actions", row),
        2e-6f);
  }

  private static Observation observation(JsonNode entry, Safetensors tensors, int row) {
    Map<String, Frame> frames = new TreeMap<>();
    for (StoredTensor stored : tensors.all()) {
      if (stored.name().startsWith("raw.frame.")) {
        String camera = stored.name().substring("raw.frame.".length());
        boolean masked = false;
        for (JsonNode other : entry.path("masked_rows").path(camera)) {
          masked |= other.asInt() == row;
        }
        if (!masked) {
          int height = stored.shape().get(1);
          int width = stored.shape().get(2);
          int size = height * width * 3;
          frames.put(
              camera,
              Frame.rgb(
                  width, height, Arrays.copyOfRange(stored.bytes(), row * size, (row + 1) * size)));
        }
      }
    }
    return new Observation(
        frames, row(tensors, "raw.state", row), entry.path("prompts").get(row).asText());
  }

  private static float[] thinned(float[] pixels, int side, int every) {
    int kept = (side + every - 1) / every;
    float[] thin = new float[3 * kept * kept];
    for (int i = 0; i < thin.length; i++) {
      int y = i / kept % kept * every;
      thin[i] = pixels[(i / (kept * kept) * side + y) * side + i % kept * every];
    }
    return thin;
  }

  private static float[] row(Safetensors tensors, String name, int row) {
    StoredTensor tensor = tensors.get(name);
    int size = (int) (tensor.count() / tensor.shape().getFirst());
    return Arrays.copyOfRange(tensor.floats(), row * size, (row + 1) * size);
  }

  private static long[] row(long[] values, StoredTensor tensor, int row) {
    int size = (int) (tensor.count() / tensor.shape().getFirst());
    return Arrays.copyOfRange(values, row * size, (row + 1) * size);
  }

  private static void near(float[] values, float[] expected, float tolerance) {
    assertThat(values).hasSameSizeAs(expected);
    for (int i = 0; i < values.length; i++) {
      assertThat(values[i])
          .isCloseTo(expected[i], within(tolerance * Math.max(1, Math.abs(expected[i]))));
    }
  }

  // ------------------------------------------------------------------ the example

  @Test
  void theExamplesCheckpointOpens() {
    try (Checkpoint checkpoint = Checkpoint.open(Path.of("..", "examples", "checkpoint"))) {
      Processor processor = Processor.open(checkpoint);
      assertThat(processor.cameras()).containsExactlyElementsOf(checkpoint.config().cameras());
      assertThat(processor.stateDimensions()).isEqualTo(checkpoint.config().stateDimension());
      assertThat(processor.actionDimensions()).isEqualTo(checkpoint.config().actionDimension());
    }
  }

  // ------------------------------------------------------------------ observations

  @Test
  void missingCamerasAreLeftOutAndKeepTheOrderOfTheOthers() {
    Processor processor = golden("pi0-tiny");
    Frame frame = Frame.rgb(4, 4, new byte[48]);
    ModelInput input =
        processor.prepare(
            new Observation(
                Map.of("right_wrist_0_rgb", frame, "base_0_rgb", frame), new float[14], "go"));
    assertThat(input.images().stream().map(ModelInput.Image::camera))
        .containsExactly("base_0_rgb", "right_wrist_0_rgb");
  }

  @Test
  void observationsThatRobotsMustNotBeServedWithAreRefused() {
    Processor processor = golden("pi0-tiny");
    Frame frame = Frame.rgb(4, 4, new byte[48]);
    Map<String, Frame> frames = Map.of("base_0_rgb", frame);
    float[] state = new float[14];
    assertThat(processor.refusal(new Observation(frames, state, "go"))).isEmpty();
    assertThat(processor.refusal(new Observation(Map.of("top", frame), state, "go")))
        .contains(
            "there is no camera 'top': expected one of [base_0_rgb, left_wrist_0_rgb,"
                + " right_wrist_0_rgb]");
    assertThat(processor.refusal(new Observation(Map.of(), state, "go")))
        .contains(
            "there is no frame of any camera: expected one of [base_0_rgb, left_wrist_0_rgb,"
                + " right_wrist_0_rgb]");
    assertThat(processor.refusal(new Observation(frames, new float[13], "go")))
        .contains("the state has 13 numbers: expected 14");
    state[3] = Float.NaN;
    assertThat(processor.refusal(new Observation(frames, state, "go")))
        .contains("number 3 of the state is NaN: expected finite numbers");
    state[3] = Float.POSITIVE_INFINITY;
    assertThat(processor.refusal(new Observation(frames, state, "go")))
        .contains("number 3 of the state is Infinity: expected finite numbers");
    state[3] = 0;
    assertThat(processor.refusal(new Observation(frames, state, null)))
        .contains("there is no prompt: expected an instruction");
    assertThat(processor.refusal(new Observation(frames, state, "go ".repeat(60))))
        .hasValueSatisfying(
            text -> assertThat(text).matches("the prompt has \\d+ tokens: expected at most 48"));
    assertThat(processor.refusal(new Observation(frames, state, "a\uD83D")))
        .contains(
            "prompt: text has half a surrogate pair (U+D83D) at index 1: expected whole"
                + " characters");
  }

  @Test
  void whatTheNetworkCannotReadIsRefusedByPreparationToo() {
    Processor processor = golden("pi05-tiny");
    Frame frame = Frame.rgb(4, 4, new byte[48]);
    float[] state = new float[8];
    assertThatThrownBy(() -> processor.prepare(new Observation(Map.of(), state, "go")))
        .isInstanceOf(ObservationException.class)
        .hasMessageStartingWith("there is no frame of any camera");
    assertThatThrownBy(() -> processor.prepare(new Observation(Map.of("a", frame), state, "go")))
        .isInstanceOf(ObservationException.class)
        .hasMessageStartingWith("there is no camera 'a'");
    Map<String, Frame> broken = Map.of("base_0_rgb", Frame.rgb(4, 5, new byte[48]));
    assertThatThrownBy(() -> processor.prepare(new Observation(broken, state, "go")))
        .isInstanceOf(ObservationException.class)
        .hasMessage("camera base_0_rgb: RGB8 frame of 4×5 pixels has 48 bytes: expected 60");
    assertThatThrownBy(() -> processor.prepare(new Observation(broken, new float[9], "go")))
        .isInstanceOf(ObservationException.class)
        .hasMessage("the state has 9 numbers: expected 8");
  }

  @Test
  void tooLongAPromptIsCutAndAnEmptyOneAllowed() {
    Processor processor = golden("pi0-tiny");
    Map<String, Frame> frames = Map.of("base_0_rgb", Frame.rgb(4, 4, new byte[48]));
    float[] state = new float[14];
    Observation longer = new Observation(frames, state, "go ".repeat(60));
    assertThat(processor.prepare(longer).tokens()).hasSize(48);
    assertThat(processor.prompt(longer).fits()).isFalse();
    assertThat(processor.prepare(new Observation(frames, state, "")).tokens()).hasSize(2);
    assertThat(processor.promptLimit()).isEqualTo(48);
  }

  @Test
  void actionsOfAnotherSizeAreRefused() {
    Processor processor = golden("pi0-tiny");
    assertThatThrownBy(() -> processor.actions(new float[13], 1, new float[14]))
        .hasMessage("13 numbers for 1 actions: expected at least 14 for each");
    assertThatThrownBy(() -> processor.actions(new float[33], 2, new float[14]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(processor.actions(new float[64], 2, new float[14])).hasSize(28);
  }

  // ------------------------------------------------------------------ LeRobot's files

  @Test
  void camerasAreRenamed() {
    copy();
    edit(
        "policy_preprocessor.json",
        root ->
            config(root, "rename_observations_processor")
                .putObject("rename_map")
                .put("observation.images.top", "observation.images.base_0_rgb"));
    Processor processor = processor();
    assertThat(processor.camera("top")).isEqualTo("base_0_rgb");
    assertThat(processor.camera("left_wrist_0_rgb")).isEqualTo("left_wrist_0_rgb");
    Frame frame = Frame.rgb(4, 4, new byte[48]);
    assertThat(
            processor
                .prepare(new Observation(Map.of("top", frame), new float[14], "go"))
                .images()
                .getFirst()
                .camera())
        .isEqualTo("base_0_rgb");
    Observation both =
        new Observation(Map.of("top", frame, "base_0_rgb", frame), new float[14], "go");
    assertThat(processor.refusal(both))
        .contains("two frames are of camera 'base_0_rgb': expected one");
  }

  @Test
  void theStatisticsOfEachProcessorAreItsOwn() {
    copy();
    restate(STATE_FILE, tensors -> tensors.put("observation.state.mean", filled(14, 3)));
    restate(STATE_FILE, tensors -> tensors.put("action.mean", filled(14, 99)));
    restate(ACTION_FILE, tensors -> tensors.put("action.mean", filled(14, 7)));
    Processor processor = processor();
    float[] threes = new float[14];
    Arrays.fill(threes, 3);
    assertThat(processor.normalisedState(threes)).containsOnly(0);
    assertThat(processor.actions(new float[32], 1, threes)).containsOnly(7);
  }

  @Test
  void theStepsModeCounts() {
    copy();
    edit(
        "policy_preprocessor.json",
        root -> modes(root, "normalizer_processor").put("STATE", "IDENTITY"));
    edit(
        "policy_postprocessor.json",
        root -> modes(root, "unnormalizer_processor").remove("ACTION"));
    Processor processor = processor();
    float[] state = new float[14];
    Arrays.fill(state, 5);
    assertThat(processor.normalisedState(state)).containsOnly(5);
    float[] x = new float[32];
    Arrays.fill(x, 2);
    assertThat(processor.actions(x, 1, state)).containsOnly(2);
  }

  @Test
  void relativeActionsAreAddedToTheRawState() {
    copy();
    edit(
        "policy_preprocessor.json",
        root -> {
          ObjectNode config = config(root, "relative_actions_processor");
          config.put("enabled", true);
          config.putArray("exclude_joints").add("Hand");
          ArrayNode names = config.putArray("action_names");
          for (int i = 0; i < 14; i++) {
            names.add(i == 6 ? "left_HAND" : "joint" + i);
          }
        });
    refuses(
        folder + ": relative actions are on before the policy and off after it; expected the same");
    edit(
        "policy_postprocessor.json",
        root -> config(root, "absolute_actions_processor").put("enabled", true));
    float[] state = new float[14];
    Arrays.fill(state, 100);
    float[] relative = processor().actions(new float[32], 1, state);
    float[] absolute = golden("pi0-tiny").actions(new float[32], 1, state);
    for (int i = 0; i < 14; i++) {
      assertThat(relative[i]).isEqualTo(absolute[i] + (i == 6 ? 0 : 100));
    }
  }

  @Test
  void aMissingStatisticIsRefused() {
    copy();
    Path state = folder.resolve(STATE_FILE);
    restate(STATE_FILE, tensors -> tensors.remove("observation.state.std"));
    refuses(state + ": 'observation.state.std' is missing; MEAN_STD needs it");
    restate(STATE_FILE, Map::clear);
    refuses(state + ": 'observation.state.mean' is missing; MEAN_STD needs it");
    delete(STATE_FILE);
    refuses(state + ": there is no such file");
    copy();
    restate(ACTION_FILE, tensors -> tensors.remove("action.mean"));
    refuses(folder.resolve(ACTION_FILE) + ": 'action.mean' is missing; MEAN_STD needs it");
    copy();
    edit(
        "policy_preprocessor.json",
        root -> step(root, "normalizer_processor").remove("state_file"));
    refuses(
        folder.resolve("policy_preprocessor.json")
            + ": step 'normalizer_processor' has no state_file; expected one with the statistics"
            + " of observation.state");
  }

  @Test
  void aBrokenStatisticIsRefused() {
    copy();
    Path state = folder.resolve(STATE_FILE);
    restate(STATE_FILE, tensors -> tensors.put("observation.state.mean", filled(13, 0)));
    refuses(
        state
            + ": 'observation.state.mean' has 13 numbers and 'std' has 14; expected equally many");
    restate(STATE_FILE, tensors -> tensors.put("observation.state.std", filled(13, 1)));
    refuses(
        state
            + ": 'observation.state.mean' has 13 numbers; expected 14, as "
            + config().file()
            + " says");
    copy();
    restate(STATE_FILE, tensors -> tensors.put("observation.state.std", filled(14, -1)));
    refuses(state + ": number 0 of 'observation.state.std' is -1.0; expected a finite one from 0");
    restate(STATE_FILE, tensors -> tensors.put("observation.state.std", filled(14, Float.NaN)));
    refuses(state + ": number 0 of 'observation.state.std' is NaN; expected a finite one from 0");
  }

  @Test
  void stepsThatWouldChangeValuesUnseenAreRefused() {
    copy();
    Path before = folder.resolve("policy_preprocessor.json");
    edit(
        "policy_preprocessor.json",
        root -> step(root, "device_processor").put("registry_name", "crop_processor"));
    assertThatThrownBy(this::processor)
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith(before + ": step 'crop_processor' is not supported; expected one");
    copy();
    edit(
        "policy_preprocessor.json",
        root -> step(root, "to_batch_processor").put("registry_name", "device_processor"));
    refuses(before + ": step 'device_processor' is there twice; expected it once");
    copy();
    edit("policy_preprocessor.json", root -> remove(root, "pi0_new_line_processor"));
    refuses(before + ": step 'pi0_new_line_processor' is missing");
    copy();
    edit(
        "policy_preprocessor.json",
        root -> modes(root, "normalizer_processor").put("VISUAL", "MEAN_STD"));
    refuses(
        before
            + ": field 'steps[6].config.norm_map.VISUAL' is \"MEAN_STD\"; expected IDENTITY, since"
            + " pixels are scaled to [−1, 1]");
    copy();
    edit(
        "policy_preprocessor.json",
        root ->
            ((ObjectNode) config(root, "normalizer_processor").get("features"))
                .remove("observation.state"));
    refuses(
        before
            + ": field 'steps[6].config.features' lacks observation.state, which would leave it as"
            + " it is; expected it there");
  }

  @Test
  void anotherOrderOfStepsIsRefused() {
    copy();
    edit(
        "policy_preprocessor.json",
        root -> {
          ArrayNode steps = (ArrayNode) root.get("steps");
          config(root, "relative_actions_processor").put("enabled", true);
          steps.add(steps.remove(5));
        });
    edit(
        "policy_postprocessor.json",
        root -> config(root, "absolute_actions_processor").put("enabled", true));
    refuses(
        folder.resolve("policy_preprocessor.json")
            + ": step 'relative_actions_processor' comes after 'normalizer_processor'; expected it"
            + " before");
    copy();
    edit(
        "policy_preprocessor.json",
        root -> {
          ArrayNode steps = (ArrayNode) root.get("steps");
          steps.add(steps.remove(2));
        });
    refuses(
        folder.resolve("policy_preprocessor.json")
            + ": step 'pi0_new_line_processor' comes after 'tokenizer_processor'; expected it"
            + " before");
  }

  @Test
  void missingFilesAreRefused() {
    for (String file :
        List.of("policy_preprocessor.json", "policy_postprocessor.json", ACTION_FILE)) {
      copy();
      delete(file);
      refuses(folder.resolve(file) + ": there is no such file");
    }
    copy();
    delete("tokenizer.json");
    refuses(
        folder.resolve("tokenizer.json")
            + ": there is no such file; expected the tokenizer.json of PaliGemma");
  }

  @Test
  void tokensBeyondTheEmbeddingTableAreRefused() {
    copy();
    int entries = Tokenizer.read(folder.resolve("tokenizer.json")).vocabularySize();
    assertThatThrownBy(
            () -> Processor.open(folder, config(), entries - 1, null, new FrameDecoder()))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(
            "%s: the tokenizer has %d entries; expected at most %d, the rows of the embedding table"
                .formatted(folder, entries, entries - 1));
    edit(
        "tokenizer.json",
        root ->
            ((ArrayNode) root.get("added_tokens"))
                .addObject()
                .put("id", entries)
                .put("content", "<image>")
                .put("normalized", false));
    Processor processor = open(config());
    Observation observation =
        new Observation(
            Map.of("base_0_rgb", Frame.rgb(1, 1, new byte[3])), new float[14], "see <image>");
    assertThat(processor.refusal(observation))
        .contains(
            "the prompt has token %d: expected less than %d, the rows of the embedding table"
                .formatted(entries, entries));
    assertThatThrownBy(() -> processor.prepare(observation))
        .isInstanceOf(ObservationException.class);
  }

  // ------------------------------------------------------------------ openpi's files

  @Test
  void openpisCheckpointsHaveOpenpisConventions() throws IOException {
    copy("tokenizer.json");
    Path robot = Files.createDirectories(folder.resolve("assets/physical/robot"));
    Files.copy(
        Golden.FOLDER.resolve("preprocess/norm_stats.json"), robot.resolve("norm_stats.json"));
    Processor processor = open(openpi(PolicyType.PI05));
    assertThat(processor.stateDimensions()).isEqualTo(8);
    assertThat(processor.actionDimensions()).isEqualTo(7);

    byte[] data = new byte[7 * 5 * 3];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i * 37);
    }
    ModelInput input =
        processor.prepare(
            new Observation(
                Map.of("base_0_rgb", Frame.rgb(7, 5, data)), new float[8], " pick_up\n"));
    assertThat(input.images().getFirst().pixels())
        .isEqualTo(ResizeWithPad.OPENPI.pixels(new RgbImage(7, 5, data), 224, 224));
    Tokenizer tokenizer = Tokenizer.read(folder.resolve("tokenizer.json"));
    assertThat(tokenizer.decode(input.tokens()))
        .matches("Task: pick up, State: (-?\\d+ ){7}-?\\d+;\nAction: ");

    Statistics statistics = Statistics.ofOpenpi(robot.resolve("norm_stats.json"));
    double[] low = statistics.range("actions", Normalization.QUANTILES).low();
    float[] x = new float[32];
    Arrays.fill(x, -1);
    float[] actions = processor.actions(x, 1, new float[8]);
    for (int i = 0; i < actions.length; i++) {
      assertThat(actions[i]).isEqualTo((float) low[i]);
    }
  }

  @Test
  void pi0OfOpenpiPadsItsState() throws IOException {
    copy("tokenizer.json");
    Path robot = Files.createDirectories(folder.resolve("assets/robot"));
    Files.copy(
        Golden.FOLDER.resolve("preprocess/norm_stats.json"), robot.resolve("norm_stats.json"));
    Processor processor = open(openpi(PolicyType.PI0));
    ModelInput input =
        processor.prepare(
            new Observation(
                Map.of("base_0_rgb", Frame.rgb(1, 1, new byte[3])), new float[8], "go"));
    assertThat(input.state()).hasSize(32);
    assertThat(Arrays.copyOfRange(input.state(), 8, 32)).containsOnly(0);
    assertThat(Arrays.copyOf(input.state(), 8)).isEqualTo(processor.normalisedState(new float[8]));
    Tokenizer tokenizer = Tokenizer.read(folder.resolve("tokenizer.json"));
    assertThat(tokenizer.decode(input.tokens())).isEqualTo("go\n");
  }

  @Test
  void statisticsOfSeveralRobotsAreRefusedUnlessOneIsNamed() throws IOException {
    copy("tokenizer.json");
    for (String name : List.of("trossen", "physical/libero")) {
      Path robot = Files.createDirectories(folder.resolve("assets").resolve(name));
      Files.copy(
          Golden.FOLDER.resolve("preprocess/norm_stats.json"), robot.resolve("norm_stats.json"));
    }
    PolicyConfig config = openpi(PolicyType.PI05);
    assertThatThrownBy(() -> open(config))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(
            folder.resolve("assets")
                + ": there are statistics of several robots, [physical/libero, trossen]; expected"
                + " one to be named");
    assertThat(
            Processor.open(folder, config, VOCABULARY, "trossen", new FrameDecoder())
                .actionDimensions())
        .isEqualTo(7);
    assertThatThrownBy(
            () -> Processor.open(folder, config, VOCABULARY, "droid", new FrameDecoder()))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(folder.resolve("assets/droid/norm_stats.json") + ": there is no such file");
  }

  @Test
  void openpisStatisticsMustBeWhole() throws IOException {
    copy("tokenizer.json");
    PolicyConfig config = openpi(PolicyType.PI05);
    assertThatThrownBy(() -> open(config))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(folder + ": there are no statistics; expected assets/<asset>/norm_stats.json");
    Path robot = Files.createDirectories(folder.resolve("assets/robot"));
    Path file = robot.resolve("norm_stats.json");
    Files.writeString(
        file, "{\"norm_stats\": {\"state\": {\"mean\": [0], \"std\": [1], \"q01\": null}}}");
    assertThatThrownBy(() -> open(config))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(file + ": 'norm_stats.state.q01' is missing; QUANTILES needs it");
    Files.writeString(file, "{\"norm_stats\": {\"state\": {\"q01\": [\"0\"], \"q99\": [1]}}}");
    assertThatThrownBy(() -> open(config))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(file + ": field 'norm_stats.state.q01' is [\"0\"]; expected a list of numbers");
    Files.writeString(file, "{\"norm_stats\": {\"state\": {\"q01\": [], \"q99\": []}}}");
    assertThatThrownBy(() -> open(config))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(
            file
                + ": the statistics of state have 0 numbers; expected 1 to 32, the network's"
                + " width");
  }

  // ------------------------------------------------------------------ folders

  private static Processor golden(String checkpoint) {
    try (Checkpoint opened = Checkpoint.open(Golden.FOLDER.resolve("checkpoints/" + checkpoint))) {
      return Processor.open(opened);
    }
  }

  /** What a test writes differently: the processors, their states and the tokenizer of π0. */
  private void copy(String... names) {
    Path source = Golden.FOLDER.resolve("checkpoints/pi0-tiny");
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        boolean wanted =
            names.length == 0
                ? name.startsWith("policy_") || name.equals("tokenizer.json")
                : List.of(names).contains(name);
        if (wanted) {
          Files.write(folder.resolve(name), Files.readAllBytes(file));
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Processor processor() {
    return open(config());
  }

  private Processor open(PolicyConfig config) {
    return Processor.open(folder, config, VOCABULARY, null, new FrameDecoder());
  }

  private static PolicyConfig config() {
    return pi0(Checkpoint::config);
  }

  private static <T> T pi0(Function<Checkpoint, T> part) {
    try (Checkpoint checkpoint = Checkpoint.open(Golden.FOLDER.resolve("checkpoints/pi0-tiny"))) {
      return part.apply(checkpoint);
    }
  }

  private static PolicyConfig openpi(PolicyType type) {
    Normalization mode = type == PolicyType.PI0 ? Normalization.MEAN_STD : Normalization.QUANTILES;
    return new PolicyConfig(
        Origin.OPENPI,
        type,
        List.of("base_0_rgb", "left_wrist_0_rgb", "right_wrist_0_rgb"),
        0,
        32,
        32,
        50,
        50,
        32,
        32,
        10,
        4e-3,
        4.0,
        type == PolicyType.PI0 ? 48 : 200,
        224,
        mode,
        mode,
        false,
        List.of(),
        List.of(),
        Path.of("config.json"),
        JSON.createObjectNode());
  }

  private void refuses(String message) {
    assertThatThrownBy(this::processor).isInstanceOf(CheckpointException.class).hasMessage(message);
  }

  private void edit(String name, Consumer<ObjectNode> change) {
    try {
      ObjectNode root = (ObjectNode) JSON.readTree(folder.resolve(name).toFile());
      change.accept(root);
      JSON.writeValue(folder.resolve(name).toFile(), root);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static ObjectNode step(ObjectNode root, String name) {
    for (JsonNode step : root.get("steps")) {
      if (step.path("registry_name").asText().equals(name)) {
        return (ObjectNode) step;
      }
    }
    throw new AssertionError("no step " + name);
  }

  private static ObjectNode config(ObjectNode root, String name) {
    return (ObjectNode) step(root, name).get("config");
  }

  private static ObjectNode modes(ObjectNode root, String name) {
    return (ObjectNode) config(root, name).get("norm_map");
  }

  private static void remove(ObjectNode root, String name) {
    ArrayNode kept = JSON.createArrayNode();
    for (JsonNode step : root.get("steps")) {
      if (!step.path("registry_name").asText().equals(name)) {
        kept.add(step);
      }
    }
    root.set("steps", kept);
  }

  private void restate(String name, Consumer<Map<String, float[]>> change) {
    Map<String, float[]> values = new TreeMap<>();
    try (Safetensors tensors = Safetensors.open(folder.resolve(name))) {
      for (StoredTensor tensor : tensors.all()) {
        values.put(tensor.name(), tensor.floats());
      }
    }
    change.accept(values);
    SafetensorsWriter writer = new SafetensorsWriter();
    values.forEach((key, numbers) -> writer.floats(key, numbers, numbers.length));
    try {
      writer.write(folder.resolve(name));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static float[] filled(int count, float value) {
    float[] values = new float[count];
    Arrays.fill(values, value);
    return values;
  }

  private void delete(String name) {
    try {
      Files.delete(folder.resolve(name));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
