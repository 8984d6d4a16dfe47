package dev.pi0stream.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.EpisodeReader;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.Step;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The shipped policy on the shipped episodes, against what LeRobot makes of the same frames,
 * states, instructions and noise; {@code tests/expected/write_expected.py} wrote that down.
 *
 * <p>The frames go through our own reader of datasets and video. That the figures mean something
 * shows beside them: with the cameras swapped, or with another episode's instruction, LeRobot's
 * error is four to six times as large.
 */
class LeRobotEpisodesTest {
  private static final Path EXPECTED = Path.of("../tests/expected");
  private static final int ACTION_DIMENSIONS = 3;

  /**
   * Equal pixels give chunks that are equal to 5e-5. A decoder may convert a pixel's colour by a
   * level otherwise, and a whole camera that is brighter by one moves them by more than this.
   */
  private static final float CHUNK_TOLERANCE = 1e-3f;

  /** By index in the dataset. */
  private static final Map<Long, Step> STEPS = new HashMap<>();

  /** By index of a step, the index after the last one of its episode. */
  private static final Map<Long, Long> ENDS = new HashMap<>();

  private static List<Step> asked;
  private static List<float[]> noise;
  private static List<float[]> expectedChunks;
  private static Map<String, double[]> expectedLevels;
  private static JsonNode figures;

  @BeforeAll
  static void read() throws IOException {
    try (LeRobotDataset dataset = LeRobotDataset.open(Path.of("../examples/episodes"))) {
      for (Episode episode : dataset.episodes()) {
        try (EpisodeReader reader = dataset.read(episode)) {
          List<Step> steps = new ArrayList<>();
          reader.forEachRemaining(steps::add);
          for (Step step : steps) {
            STEPS.put(step.index(), step);
            ENDS.put(step.index(), steps.getLast().index() + 1);
          }
        }
      }
    }
    try (Safetensors stored = Safetensors.open(EXPECTED.resolve("lerobot-episodes.safetensors"))) {
      asked = new ArrayList<>();
      for (long index : stored.get("index").longs()) {
        asked.add(STEPS.get(index));
      }
      noise = ShippedPolicy.rows(stored.get("noise"));
      expectedChunks = ShippedPolicy.rows(stored.get("chunk"));
      expectedLevels =
          Map.of(
              "top", stored.get("level.top").doubles(),
              "wrist", stored.get("level.wrist").doubles());
    }
    figures = new JsonMapper().readTree(EXPECTED.resolve("lerobot-episodes.json").toFile());
  }

  @Test
  void framesAreThoseThatLeRobotDecodes() {
    for (int i = 0; i < asked.size(); i++) {
      for (Map.Entry<String, double[]> level : expectedLevels.entrySet()) {
        Frame frame = asked.get(i).frames().get(level.getKey());
        assertThat(mean(frame.data()))
            .as("mean level of %s at index %d", level.getKey(), asked.get(i).index())
            .isCloseTo(level.getValue()[i], within(0.05));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void chunksAreThoseOfLeRobot(String device) {
    List<float[]> chunks = chunks(device, asked);
    for (int i = 0; i < chunks.size(); i++) {
      assertThat(chunks.get(i))
          .as("chunk at index %d", asked.get(i).index())
          .usingComparatorWithPrecision(CHUNK_TOLERANCE)
          .containsExactly(expectedChunks.get(i));
    }
    assertThat(errorToLogged(asked, chunks))
        .isCloseTo(figures.get("meanAbsErrorToLogged").doubleValue(), within(1e-4));
  }

  @Test
  void errorsAreMeasuredAsTheStoredFiguresWere() {
    assertThat(errorToLogged(asked, expectedChunks))
        .isCloseTo(figures.get("meanAbsErrorToLogged").doubleValue(), within(1e-7));
  }

  private static double mean(byte[] pixels) {
    long sum = 0;
    for (byte pixel : pixels) {
      sum += Byte.toUnsignedInt(pixel);
    }
    return (double) sum / pixels.length;
  }

  private static List<float[]> chunks(String device, List<Step> steps) {
    try (ShippedPolicy policy = ShippedPolicy.open(device)) {
      return policy.chunks(
          steps.stream()
              .map(step -> new Observation(step.frames(), step.state(), step.task()))
              .toList(),
          noise);
    }
  }

  /** The mean of |action k of the chunk − logged action at t + k|, for k within the episode. */
  private static double errorToLogged(List<Step> steps, List<float[]> chunks) {
    double sum = 0;
    long count = 0;
    for (int i = 0; i < steps.size(); i++) {
      long start = steps.get(i).index();
      float[] chunk = chunks.get(i);
      int actions = (int) Math.min(chunk.length / ACTION_DIMENSIONS, ENDS.get(start) - start);
      for (int k = 0; k < actions; k++) {
        float[] logged = STEPS.get(start + k).action();
        for (int d = 0; d < ACTION_DIMENSIONS; d++) {
          sum += Math.abs((double) chunk[k * ACTION_DIMENSIONS + d] - logged[d]);
          count++;
        }
      }
    }
    return sum / count;
  }
}
