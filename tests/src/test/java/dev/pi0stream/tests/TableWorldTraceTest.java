package dev.pi0stream.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.processor.Observation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The shipped policy on observations that LeRobot's policy was asked in closed loop: pixels as the
 * robot's cameras gave them, so that nothing but the policy can differ.
 */
class TableWorldTraceTest {
  private static final Path TRACE = Path.of("../tests/table-world/trace.safetensors");
  private static final float TOLERANCE = 1e-4f;

  /** What was asked in one episode at the steps whose frames are kept. */
  private record Asked(
      int denoisingSteps,
      List<Observation> observations,
      List<float[]> noise,
      List<float[]> chunks) {}

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void chunksAreThoseOfTheTrace(String device) throws IOException {
    int compared = 0;
    for (Asked asked : trace()) {
      try (ShippedPolicy policy = ShippedPolicy.open(device, asked.denoisingSteps)) {
        List<float[]> chunks = policy.chunks(asked.observations, asked.noise);
        for (int i = 0; i < chunks.size(); i++) {
          assertThat(chunks.get(i))
              .usingComparatorWithPrecision(TOLERANCE)
              .containsExactly(asked.chunks.get(i));
          compared++;
        }
      }
    }
    assertThat(compared).isEqualTo(6);
  }

  private static List<Asked> trace() throws IOException {
    try (Safetensors trace = Safetensors.open(TRACE)) {
      JsonNode episodes = new JsonMapper().readTree(trace.metadata().get("episodes"));
      List<Asked> all = new ArrayList<>();
      for (int e = 0; e < episodes.size(); e++) {
        all.add(asked(trace, e, episodes.get(e)));
      }
      return all;
    }
  }

  private static Asked asked(Safetensors trace, int episode, JsonNode about) {
    String prefix = episode + "/";
    long[] steps = trace.get(prefix + "asked").longs();
    long[] kept = trace.get(prefix + "frames").longs();
    List<float[]> states = ShippedPolicy.rows(trace.get(prefix + "state"));
    List<float[]> noise = ShippedPolicy.rows(trace.get(prefix + "noise"));
    List<float[]> chunks = ShippedPolicy.rows(trace.get(prefix + "chunk"));
    Asked asked =
        new Asked(
            about.get("denoising_steps").intValue(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>());
    for (int c = 0; c < steps.length; c++) {
      int frame = Arrays.binarySearch(kept, steps[c]);
      if (frame >= 0) {
        Map<String, Frame> frames = new HashMap<>();
        for (String camera : List.of("top", "wrist")) {
          frames.put(camera, frame(trace.get(prefix + camera), frame));
        }
        asked.observations.add(
            new Observation(
                frames,
                states.get(Math.toIntExact(steps[c])),
                about.get("instruction").textValue()));
        asked.noise.add(noise.get(c));
        asked.chunks.add(chunks.get(c));
      }
    }
    return asked;
  }

  /** One picture of frames × height × width × 3. */
  private static Frame frame(StoredTensor pictures, int index) {
    int height = pictures.shape().get(1);
    int width = pictures.shape().get(2);
    int bytes = height * width * 3;
    byte[] all = pictures.bytes();
    return Frame.rgb(width, height, Arrays.copyOfRange(all, index * bytes, (index + 1) * bytes));
  }
}
