package dev.pi0stream.model.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.pi0stream.device.Device;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.image.ResizeWithPad;
import dev.pi0stream.model.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** LeRobot's vectors, as the tests of this package need them. */
final class Golden {
  static final Path FOLDER = Path.of("../tests/golden");
  static final JsonNode MANIFEST = read(FOLDER.resolve("manifest.json"));

  private Golden() {}

  static JsonNode read(Path file) {
    try {
      return new JsonMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The entries of a part of the manifest. */
  static Stream<JsonNode> entries(String part) {
    return StreamSupport.stream(MANIFEST.get(part).spliterator(), false);
  }

  /** One entry of a part of the manifest. */
  static JsonNode named(String part, String name) {
    return entries(part)
        .filter(entry -> entry.get("name").textValue().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** The operations of one kind. */
  static Stream<JsonNode> operations(String kind) {
    return entries("ops").filter(entry -> entry.get("op").textValue().equals(kind));
  }

  static Safetensors open(JsonNode entry) {
    return Safetensors.open(FOLDER.resolve(entry.get("file").textValue()));
  }

  static Checkpoint checkpoint(String name) {
    return Checkpoint.open(
        FOLDER.resolve(MANIFEST.at("/checkpoints/" + name + "/directory").textValue()));
  }

  /** Loads a policy; the device has its own copy of the weights, so the checkpoint is closed. */
  static Policy policy(String checkpoint, JsonNode overrides, Device device) {
    try (Checkpoint opened = checkpoint(checkpoint)) {
      return Policy.load(opened.with(overrides), device);
    }
  }

  /** The rows of a case or of a real-time-chunking case, from its stored tokens and raw frames. */
  static List<Sample> samples(JsonNode entry, PolicyConfig config) {
    boolean chunking = entry.has("inputs_from");
    Path inputs = FOLDER.resolve(entry.path(chunking ? "inputs_from" : "file").textValue());
    try (Safetensors raw = Safetensors.open(inputs);
        Safetensors own = open(entry)) {
      List<Sample> samples = new ArrayList<>();
      for (int row = 0; row < entry.get("prompts").size(); row++) {
        float[] state =
            raw.find("state.padded").isPresent() ? row(raw, "state.padded", row) : new float[0];
        samples.add(
            new Sample(
                new ModelInput(images(entry, config, raw, row), tokens(raw, row), state),
                row(own, "noise", row),
                chunking ? guidance(entry, own, row) : null));
      }
      return samples;
    }
  }

  private static List<ModelInput.Image> images(
      JsonNode entry, PolicyConfig config, Safetensors raw, int row) {
    int side = config.imageResolution();
    List<ModelInput.Image> images = new ArrayList<>();
    for (String camera : config.cameras()) {
      String name = "raw.frame." + camera;
      if (raw.find(name).isEmpty() || isMasked(entry, camera, row)) {
        continue;
      }
      List<Integer> shape = raw.get(name).shape();
      int bytes = shape.get(1) * shape.get(2) * 3;
      byte[] frame = Arrays.copyOfRange(raw.get(name).bytes(), row * bytes, (row + 1) * bytes);
      RgbImage image = new RgbImage(shape.get(2), shape.get(1), frame);
      images.add(new ModelInput.Image(camera, ResizeWithPad.LEROBOT.pixels(image, side, side)));
    }
    return images;
  }

  private static boolean isMasked(JsonNode entry, String camera, int row) {
    return StreamSupport.stream(entry.at("/masked_rows").path(camera).spliterator(), false)
        .anyMatch(masked -> masked.intValue() == row);
  }

  private static int[] tokens(Safetensors raw, int row) {
    int limit = raw.get("tokens").shape().getLast();
    long[] ids = raw.get("tokens").longs();
    boolean[] mask = raw.get("token_mask").booleans();
    int[] tokens = new int[limit];
    int count = 0;
    for (int i = row * limit; i < (row + 1) * limit; i++) {
      if (mask[i]) {
        tokens[count++] = Math.toIntExact(ids[i]);
      }
    }
    return Arrays.copyOf(tokens, count);
  }

  private static Guidance guidance(JsonNode entry, Safetensors own, int row) {
    if (own.find("previous").isEmpty()) {
      return null;
    }
    List<Integer> shape = own.get("previous").shape();
    float[] previous = shape.size() == 2 ? own.get("previous").floats() : row(own, "previous", row);
    String horizon =
        entry.get("execution_horizon").isNull()
            ? "configured_execution_horizon"
            : "execution_horizon";
    return new Guidance(
        previous,
        shape.get(shape.size() - 2),
        shape.getLast(),
        entry.get("inference_delay").intValue(),
        entry.get(horizon).intValue(),
        Guidance.Schedule.valueOf(entry.get("schedule").textValue()),
        entry.get("max_guidance_weight").floatValue());
  }

  /** One row of a tensor's first dimension. */
  static float[] row(Safetensors file, String name, int row) {
    float[] all = file.get(name).floats();
    int length = all.length / file.get(name).shape().getFirst();
    return Arrays.copyOfRange(all, row * length, (row + 1) * length);
  }

  /** The largest and the root mean square error both within bounds. */
  static void assertClose(
      String what, float[] found, float[] expected, double maxError, double rmsError) {
    assertThat(found).as(what).hasSameSizeAs(expected);
    double max = 0;
    double squares = 0;
    for (int i = 0; i < found.length; i++) {
      double error = Math.abs((double) found[i] - expected[i]);
      max = Double.isNaN(error) ? Double.NaN : Math.max(max, error);
      squares += error * error;
    }
    assertThat(max).as("largest error of " + what).isLessThanOrEqualTo(maxError);
    assertThat(Math.sqrt(squares / found.length))
        .as("rms error of " + what)
        .isLessThanOrEqualTo(rmsError);
  }

  static void assertClose(String what, float[] found, float[] expected, double maxError) {
    assertClose(what, found, expected, maxError, maxError);
  }
}
