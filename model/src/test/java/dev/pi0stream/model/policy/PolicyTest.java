package dev.pi0stream.model.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.model.checkpoint.Safetensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole policies on the reference device, against LeRobot's own results. */
class PolicyTest {
  private static final double MAX_ERROR = 1e-4;
  private static final double RMS_ERROR = 1e-5;
  private static final JsonNode NO_OVERRIDES = JsonNodeFactory.instance.objectNode();

  /** Keeps what it sees: all rows, or a row under {@code name#row}. */
  private static final class Recorder implements Probe {
    private final Device device;
    private final Map<String, float[]> seen = new HashMap<>();
    private final Map<String, Device.HostKeyValues> prefixes = new HashMap<>();

    Recorder(Device device) {
      this.device = device;
    }

    @Override
    public void see(String name, int row, Tensor value) {
      String key = row == ALL_ROWS ? name : name + "#" + row;
      assertThat(seen.put(key, device.download(value))).as(key).isNull();
    }

    @Override
    public void seePrefix(KeyValues prefix) {
      for (int layer = 0; layer < prefix.layers(); layer++) {
        for (int row = 0; row < prefix.sequences().count(); row++) {
          prefixes.put(layer + "#" + row, device.download(prefix, layer, row));
        }
      }
    }
  }

  static Stream<JsonNode> cases() {
    return Stream.of("cases", "rtc").flatMap(Golden::entries);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void denoisesAsLeRobotDoes(JsonNode entry) {
    denoises(entry, "reference");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pi0-base", "pi05-base", "pi0-batch3", "pi05-batch3"})
  void denoisesAsLeRobotDoesOnTheProcessor(String name) {
    denoises(Golden.named("cases", name), "cpu");
  }

  private static void denoises(JsonNode entry, String deviceName) {
    try (Device device = Devices.open(deviceName, Precision.FP32);
        Safetensors expected = Golden.open(entry)) {
      Policy policy =
          Golden.policy(entry.get("checkpoint").textValue(), entry.get("config"), device);
      Recorder recorder = new Recorder(device);
      List<Sample> batch = Golden.samples(entry, policy.config());
      int steps = entry.get("num_steps").intValue();

      Policy.Chunks chunks = policy.sample(batch, steps, recorder);

      for (int row = 0; row < batch.size(); row++) {
        Golden.assertClose(
            "x of row " + row,
            chunks.x().get(row),
            Golden.row(expected, "x.step" + steps, row),
            MAX_ERROR,
            RMS_ERROR);
      }
      compareRecorded(recorder, expected, policy, batch);
    }
  }

  private static void compareRecorded(
      Recorder recorder, Safetensors expected, Policy policy, List<Sample> batch) {
    int leading = policy.config().type().name().equals("PI0") ? 1 : 0;
    for (var tensor : expected.all()) {
      String name = tensor.name();
      if (name.startsWith("siglip.")) {
        for (int row = 0; row < batch.size(); row++) {
          float[] seen = recorder.seen.get(name + "#" + row);
          if (seen != null) {
            close(name, seen, Golden.row(expected, name, row));
          }
        }
      } else if (name.startsWith("kv.layer")) {
        compareKeyValues(recorder, expected, name, batch.size());
      } else if (name.equals("prefix.embs")) {
        close(name, recorder.seen.get(name), valid(expected, name));
      } else if (name.matches("(x|v|time_emb|adarms_cond)\\.step\\d+|v\\.model\\.step\\d+")) {
        float[] seen = recorder.seen.get(name);
        // What is the same for all rows is computed once.
        float[] all = tensor.floats();
        close(name, seen, Arrays.copyOf(all, Math.min(all.length, seen.length)));
      } else if (name.startsWith("v.guided.")) {
        close(name, recorder.seen.get(name.replace("guided.", "")), tensor.floats());
      } else if (name.matches("suffix\\.embs\\.step0|suffix\\.out\\.step0|expert\\.layer.*")) {
        close(name, recorder.seen.get(name), actionRows(tensor.floats(), tensor.shape(), leading));
      }
    }
  }

  private static void close(String name, float[] seen, float[] expected) {
    assertThat(seen).as(name + " was seen").isNotNull();
    Golden.assertClose(name, seen, expected, MAX_ERROR, RMS_ERROR);
  }

  private static void compareKeyValues(
      Recorder recorder, Safetensors expected, String name, int rows) {
    String layer = name.substring("kv.layer".length(), name.lastIndexOf('.'));
    List<Integer> shape = expected.get(name).shape(); // B, heads, S, size
    int heads = shape.get(1);
    int length = shape.get(2);
    int size = shape.get(3);
    boolean[] mask = expected.get("prefix.pad_mask").booleans();
    for (int row = 0; row < rows; row++) {
      float[] all = Golden.row(expected, name, row);
      Device.HostKeyValues seen = recorder.prefixes.get(layer + "#" + row);
      float[] packed = new float[seen.keys().length];
      int next = 0;
      for (int place = 0; place < length; place++) {
        for (int head = 0; head < heads && mask[row * length + place]; head++) {
          System.arraycopy(all, (head * length + place) * size, packed, next, size);
          next += size;
        }
      }
      float[] own = name.endsWith(".k") ? seen.keys() : seen.values();
      assertThat(next).isEqualTo(own.length);
      Golden.assertClose(name, own, packed, 5e-4, 2e-5);
    }
  }

  /** The rows of a B × S × columns tensor that are neither padding nor masked. */
  private static float[] valid(Safetensors expected, String name) {
    boolean[] mask = expected.get("prefix.pad_mask").booleans();
    int columns = expected.get(name).shape().getLast();
    float[] all = expected.get(name).floats();
    float[] kept = new float[all.length];
    int next = 0;
    for (int row = 0; row < mask.length; row++) {
      if (mask[row]) {
        System.arraycopy(all, row * columns, kept, next, columns);
        next += columns;
      }
    }
    return Arrays.copyOf(kept, next);
  }

  /** B × (leading + H) × columns without the leading rows. */
  private static float[] actionRows(float[] all, List<Integer> shape, int leading) {
    int columns = shape.getLast();
    int rows = shape.get(1);
    int kept = (rows - leading) * columns;
    float[] result = new float[shape.getFirst() * kept];
    for (int i = 0; i < shape.getFirst(); i++) {
      System.arraycopy(all, (i * rows + leading) * columns, result, i * kept, kept);
    }
    return result;
  }

  /** Bit for bit on {@code reference}; on {@code cpu}, products of other shapes sum otherwise. */
  @ParameterizedTest
  @CsvSource({"pi0, reference, 0", "pi05, reference, 0", "pi0, cpu, 1e-4", "pi05, cpu, 1e-4"})
  void rowsOfABatchEqualTheSameRowsAlone(String type, String name, float tolerance) {
    List<JsonNode> entries =
        Stream.of("cases", "rtc")
            .flatMap(Golden::entries)
            .filter(entry -> entry.get("checkpoint").textValue().equals(type + "-tiny"))
            .filter(entry -> entry.get("config").isEmpty())
            .toList();
    try (Device device = Devices.open(name, Precision.FP32)) {
      Policy policy = Golden.policy(type + "-tiny", NO_OVERRIDES, device);
      List<Sample> rows = new ArrayList<>();
      for (JsonNode entry : entries) {
        rows.addAll(Golden.samples(entry, policy.config()));
      }
      Collections.shuffle(rows, new Random(1));
      List<float[]> alone =
          rows.stream().map(row -> policy.sample(List.of(row), 2).x().getFirst()).toList();

      for (int size = 2; size <= 8; size++) {
        int first = size % (rows.size() - size + 1);
        List<float[]> together = policy.sample(rows.subList(first, first + size), 2).x();
        for (int i = 0; i < size; i++) {
          assertThat(together.get(i))
              .as("row %d of a batch of %d", i, size)
              .containsExactly(alone.get(first + i), within(tolerance));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pi0", "pi05"})
  void keptFeaturesAndPrefixesGiveTheSameChunk(String type) {
    try (Device device = new ReferenceDevice()) {
      Policy policy = Golden.policy(type + "-tiny", NO_OVERRIDES, device);
      List<Sample> batch = Golden.samples(Golden.named("cases", type + "-batch3"), policy.config());
      List<float[]> expected = policy.sample(batch, 2).x();

      List<Device.Part> prefixes = new ArrayList<>();
      for (Sample sample : batch) {
        List<Device.Rows> images = new ArrayList<>();
        for (ModelInput.Image image : sample.input().images()) {
          images.addAll(policy.see(List.of(image)));
        }
        KeyValues prefix =
            policy.prefix(List.of(new Policy.PrefixInput(images, sample.input().tokens())));
        prefixes.add(new Device.Part(prefix, 0));
      }
      for (int round = 0; round < 2; round++) {
        List<float[]> found = policy.denoise(prefixes, batch, 2);
        for (int row = 0; row < batch.size(); row++) {
          assertThat(found.get(row)).isEqualTo(expected.get(row));
        }
      }
    }
  }

  @Test
  void seesPicturesOfAnotherResolution() throws IOException {
    try (Device device = new ReferenceDevice()) {
      JsonNode smaller = new JsonMapper().readTree("{\"image_resolution\": [84, 84]}");
      Policy policy = Golden.policy("pi0-tiny", smaller, device);
      Recorder recorder = new Recorder(device);

      policy.sample(
          Golden.samples(Golden.named("cases", "pi0-base"), policy.config()), 1, recorder);

      assertThat(recorder.seen.get("siglip.base_0_rgb#0")).hasSize(6 * 6 * 48);
      assertThat(recorder.seen.get("x.step1")).doesNotContain(Float.NaN);
    }
  }

  @Test
  void leavesNothingBehindButWeightsAndKeptConstants() {
    try (Device device = new ReferenceDevice()) {
      JsonNode entry = Golden.named("cases", "pi05-base");
      Policy policy = Golden.policy("pi05-tiny", NO_OVERRIDES, device);
      List<Sample> batch = Golden.samples(entry, policy.config());
      policy.sample(batch, 2);
      Device.Usage after = device.usage();

      policy.sample(batch, 2);
      assertThat(device.usage()).isEqualTo(after);

      IntStream.rangeClosed(5, 8).forEach(steps -> policy.sample(batch, steps));
      Device.Usage many = device.usage();
      IntStream.rangeClosed(1, 8).forEach(steps -> policy.sample(batch, steps));
      assertThat(device.usage()).isEqualTo(many);

      policy.close();
      assertThat(device.usage().resources()).isZero();
    }
  }

  @Test
  void refusesRowsThatAreNotWhatTheCheckpointExpects() {
    try (Device device = new ReferenceDevice()) {
      Policy policy = Golden.policy("pi0-tiny", NO_OVERRIDES, device);
      float[] pixels = new float[3 * 224 * 224];
      float[] noise = new float[policy.chunkNumbers()];
      float[] state = new float[32];
      List<ModelInput.Image> images = List.of(new ModelInput.Image("base_0_rgb", pixels));
      int[] tokens = {2, 5};

      assertRefused(policy, new ModelInput(List.of(), tokens, state), noise, "no camera");
      assertRefused(
          policy, new ModelInput(images, new int[] {2, 1141}, state), noise, "token 1141");
      assertRefused(
          policy, new ModelInput(images, tokens, new float[14]), noise, "14 numbers of state");
      assertRefused(
          policy, new ModelInput(images, tokens, state), new float[3], "3 numbers of noise");
      assertRefused(
          policy,
          new ModelInput(List.of(new ModelInput.Image("base_0_rgb", new float[12])), tokens, state),
          noise,
          "camera 'base_0_rgb' has 12 numbers");
      assertThatThrownBy(() -> policy.sample(List.of(), 1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static void assertRefused(
      Policy policy, ModelInput input, float[] noise, String message) {
    assertThatThrownBy(() -> policy.sample(List.of(new Sample(input, noise, null)), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
