package dev.pi0stream.tests.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatasetCommandTest {
  private static final Path EXPECTED = Path.of("../tests/datasets/expected.safetensors");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({
    "video,../examples/episodes,40",
    "images,../tests/datasets/images,Infinity",
    "v21,../tests/datasets/v21,40"
  })
  void framesAreThoseOfLeRobot(String name, String root, double decibels) throws IOException {
    int compared = 0;
    try (Safetensors expected = Safetensors.open(EXPECTED)) {
      for (JsonNode row : JSON.readTree(expected.metadata().get("rows"))) {
        if (row.get("dataset").asText().equals(name)) {
          String index = row.get("index").asText();
          Path png = directory.resolve("frame.png");
          Path json = directory.resolve("frame.json");
          CommandLineRun run =
              CommandLineRun.of(
                  "dataset",
                  root,
                  "--index",
                  index,
                  "--out",
                  png.toString(),
                  "--json",
                  json.toString());
          assertThat(run.code()).as(run.err()).isZero();
          JsonNode shown = JSON.readTree(json.toFile());
          String prefix = name + "/" + index + "/";
          assertThat(floats(shown.get("state")))
              .isEqualTo(expected.get(prefix + "observation.state").floats());
          assertThat(floats(shown.get("action")))
              .isEqualTo(expected.get(prefix + "action").floats());
          assertThat(shown.get("timestamp").asDouble()).isEqualTo(row.get("timestamp").asDouble());
          assertThat(shown.get("task").asText()).isEqualTo(row.get("task").asText());
          assertThat(shown.get("episode").asInt()).isEqualTo(row.get("episode_index").asInt());
          assertThat(shown.get("frame").asInt()).isEqualTo(row.get("frame_index").asInt());
          BufferedImage picture = ImageIO.read(png.toFile());
          int left = 0;
          for (String camera : new String[] {"top", "wrist"}) {
            byte[] pixels = expected.get(prefix + "observation.images." + camera).bytes();
            assertThat(signalToNoise(picture, left, pixels)).isGreaterThanOrEqualTo(decibels);
            left += 112;
          }
          assertThat(picture.getWidth()).isEqualTo(left);
          compared++;
        }
      }
    }
    assertThat(compared).isGreaterThan(3);
  }

  @Test
  void aDatasetIsDescribed() throws IOException {
    Path json = directory.resolve("dataset.json");
    CommandLineRun run =
        CommandLineRun.of("dataset", "../tests/datasets/v21", "--json", json.toString());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("version     v2.1")
        .contains("5 with 165 frames, 27 to 43 long")
        .contains("task        0: move the red block to the white tray")
        .contains("whole       yes");
    JsonNode description = JSON.readTree(json.toFile());
    assertThat(description.get("frames").asInt()).isEqualTo(165);
    assertThat(description.get("whole").asBoolean()).isTrue();
  }

  @Test
  void whatIsNotWholeIsNamed() throws IOException {
    Path copy = directory.resolve("v21");
    DatasetFiles.copy(Path.of("../tests/datasets/v21"), copy);
    Files.delete(copy.resolve("data/chunk-000/episode_000004.parquet"));
    CommandLineRun run = CommandLineRun.of("dataset", copy.toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .contains("1 of 5 episodes are not whole; the first: ")
        .contains("episode_000004.parquet is not there");
  }

  @Test
  void whatIsNotThereIsOneSentence() {
    refused("it has 58", "--index", "58");
    refused("need an --index", "--out", "frame.png");
    refused("has no camera left; it has [top, wrist]", "--index", "0", "--camera", "left");
    CommandLineRun nothing = CommandLineRun.of("dataset", "nothing");
    assertThat(nothing.code()).isEqualTo(2);
    assertThat(nothing.err()).contains("is not a directory");
  }

  private static void refused(String sentence, String... arguments) {
    String[] all = new String[arguments.length + 2];
    all[0] = "dataset";
    all[1] = "../tests/datasets/images";
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    CommandLineRun run = CommandLineRun.of(all);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains(sentence);
  }

  private static float[] floats(JsonNode list) {
    float[] values = new float[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = list.get(i).floatValue();
    }
    return values;
  }

  private static double signalToNoise(BufferedImage picture, int left, byte[] expected) {
    double squares = 0;
    for (int i = 0; i < expected.length; i++) {
      int pixel = i / 3;
      int rgb = picture.getRGB(left + pixel % 112, pixel / 112);
      int value = rgb >> (16 - 8 * (i % 3)) & 0xFF;
      int difference = value - Byte.toUnsignedInt(expected[i]);
      squares += difference * difference;
    }
    return 10 * Math.log10(255.0 * 255.0 / (squares / expected.length));
  }
}
