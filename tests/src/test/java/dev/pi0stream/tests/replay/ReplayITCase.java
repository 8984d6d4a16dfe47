package dev.pi0stream.tests.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code pi0 replay} as a person starts it, with the shipped policy. */
@Timeout(300)
class ReplayITCase {
  private static final String VIDEO = "../examples/episodes";
  private static final String IMAGES = "../tests/datasets/images";
  private static final String V21 = "../tests/datasets/v21";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path directory;

  @Test
  void everyFrameOfImagesIsAccountedFor() throws Exception {
    Path report = directory.resolve("pages/report.html");
    Path parquet = directory.resolve("chunks.parquet");
    JsonNode result =
        replay(IMAGES, "--report", report.toString(), "--parquet", parquet.toString());
    assertAccounted(result, 58);
    assertThat(result.at("/error/meanAbs").asDouble()).isBetween(0.005, 0.05);
    assertThat(result.at("/error/steps")).hasSize(16);
    assertThat(result.at("/error/groups/gripper/normalisedMeanAbs").asDouble()).isPositive();
    assertThat(result.at("/error/critical/GRIPPER_CHANGE/intervals").asInt()).isPositive();
    assertThat(result.at("/ticks").asInt()).isEqualTo(58 - 4);
    assertThat(result.at("/starvedTicks").asInt()).isBetween(0, 54);
    assertThat(result.at("/worst")).hasSizeBetween(1, 12);
    assertThat(rows("SELECT count(*), count(DISTINCT (episode_index, frame_index)) FROM", parquet))
        .isEqualTo("58 58");

    String page = Files.readString(report, StandardCharsets.UTF_8);
    assertThat(page)
        .contains("<svg")
        .contains("prefers-color-scheme:dark")
        .contains("data:image/png;base64,")
        .doesNotContain("http")
        .doesNotContain("src=\"/");
  }

  @Test
  void everyFrameOfVersion21IsAccountedFor() throws Exception {
    assertAccounted(replay(V21, "--max-batch", "8"), 165);
  }

  @Test
  @Tag("long")
  void everyFrameOfTheVideosIsAccountedForAndErrorsAreAsSmallAsLeRobots() throws Exception {
    JsonNode result = replay(VIDEO);
    assertAccounted(result, 428);
    JsonNode lerobot = JSON.readTree(Path.of("expected/lerobot-episodes.json").toFile());
    // The same frames; the noise is another.
    assertThat(result.at("/error/meanAbs").asDouble())
        .isCloseTo(lerobot.at("/allFrames/meanAbsErrorToLogged").asDouble(), within(0.005));
  }

  @Test
  void partsOfEpisodesAndSeveralSamplesAreAccountedFor() throws Exception {
    JsonNode result =
        replay(
            V21,
            "--episodes",
            "0,2-3",
            "--from",
            "0.5s",
            "--to",
            "20",
            "--stride",
            "5",
            "--samples",
            "3",
            "--seed",
            "7");
    // Frames 5, 10 and 15 of three episodes, each three times.
    assertThat(result.get("frames").asInt()).isEqualTo(9);
    assertThat(result.get("chunks").asInt()).isEqualTo(27);
    assertThat(result.at("/spread/samples").asInt()).isEqualTo(3);
    assertThat(result.at("/spread/mean").asDouble()).isPositive();
    assertThat(result.at("/policy/seed").asInt()).isEqualTo(7);
  }

  @Test
  void aPolicyThatIsTreatedWronglyIsVisiblyWorse() throws Exception {
    Path shuffled = directory.resolve("shuffled");
    DatasetFiles.copy(Path.of("../examples/checkpoint"), shuffled);
    Files.delete(shuffled.resolve("golden.safetensors"));
    Statistics.shuffleActions(
        shuffled.resolve("policy_postprocessor_step_0_unnormalizer_processor.safetensors"));
    JsonNode right = replay(IMAGES, "--stride", "2", "--against", shuffled.toString());
    JsonNode cameras =
        replay(IMAGES, "--stride", "2", "--camera", "top=wrist", "--camera", "wrist=top");
    JsonNode prompt =
        replay(IMAGES, "--stride", "2", "--prompt", "put the green block on the yellow tray");
    double error = normalised(right);
    assertThat(normalised(cameras)).isGreaterThan(2 * error);
    assertThat(normalised(prompt)).isGreaterThan(2 * error);
    assertThat(normalised(right.get("against"))).isGreaterThan(2 * error);
    assertThat(right.at("/against/difference/compared").asInt())
        .isEqualTo(right.get("chunks").asInt());
    assertThat(right.at("/against/difference/equal").asInt()).isZero();
  }

  @Test
  void aBrokenEpisodeIsSkippedAndNamed() throws Exception {
    Path copy = directory.resolve("v21");
    DatasetFiles.copy(Path.of(V21), copy);
    Files.delete(copy.resolve("videos/chunk-000/observation.images.top/episode_000001.mp4"));
    Path truncated = copy.resolve("videos/chunk-000/observation.images.wrist/episode_000003.mp4");
    byte[] video = Files.readAllBytes(truncated);
    Files.write(truncated, Arrays.copyOf(video, video.length / 2));
    Path garbage = copy.resolve("data/chunk-000/episode_000002.parquet");
    Files.writeString(garbage, "garbage");
    JsonNode result = replay(copy.toString(), "--stride", "3");
    assertThat(result.get("skippedEpisodes")).hasSize(3);
    assertThat(result.at("/skippedEpisodes/0/episode").asInt()).isEqualTo(1);
    assertThat(result.at("/skippedEpisodes/0/reason").asText())
        .contains("episode_000001.mp4 is not there");
    assertThat(result.at("/skippedEpisodes/1/reason").asText())
        .startsWith(garbage + " cannot be read");
    assertThat(result.at("/skippedEpisodes/2/reason").asText()).startsWith(truncated.toString());
    // Of 27 and 39 frames every third.
    assertThat(result.get("frames").asInt()).isEqualTo(9 + 13);
    assertThat(result.get("chunks").asInt()).isEqualTo(9 + 13);
  }

  @Test
  void whatThePolicyRefusesIsRejectedAndCounted() throws Exception {
    JsonNode result = replay(IMAGES, "--stride", "4", "--prompt", "put ".repeat(200));
    assertThat(result.get("frames").asInt()).isEqualTo(16);
    assertThat(result.get("rejected").asInt()).isEqualTo(16);
    assertThat(result.get("chunks").asInt()).isZero();
    assertThat(result.get("firstRejection").asText()).contains("tokens: expected at most 12");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "3"})
  void enginesShareTheProcessor(String engines) throws Exception {
    JsonNode result = replay(IMAGES, "--engines", engines);
    assertAccounted(result, 58);
    assertThat(result.at("/policy/device").asText())
        .isEqualTo(engines.equals("1") ? "cpu" : "cpu:0,cpu:1,cpu:2");
    assertThat(result.at("/throughput/engineShare").asDouble()).isBetween(0.0, 1.0);
    // Frames, noise and weights are the same, whoever computes.
    assertThat(result.at("/error/meanAbs").asDouble()).isBetween(0.005, 0.05);
  }

  @Test
  void onlyTheProcessorIsShared() {
    refused("--engines is 0: expected 1 or more", "--dataset", IMAGES, "--engines", "0");
    refused(
        "--engines 2 shares the processor, but --device is reference",
        "--dataset",
        IMAGES,
        "--device",
        "reference",
        "--engines",
        "2");
  }

  @Test
  void weightsCanBeMadeUp() throws Exception {
    JsonNode result = replay(IMAGES, "--stride", "4", "--random-weights", "tiny");
    assertAccounted(result, 16);
    assertThat(result.at("/policy/digest").asText()).isEqualTo("random weights, tiny, seed 0");
    assertThat(result.at("/error/steps")).hasSize(50);
    // What nobody has trained is far off.
    assertThat(result.at("/error/meanAbs").asDouble()).isGreaterThan(0.1);
    refused("field 'type' is pi0; expected pi05", "--dataset", IMAGES, "--random-weights", "pi05");
    refused(
        "--against is another checkpoint, but --random-weights has none",
        "--dataset",
        IMAGES,
        "--random-weights",
        "tiny",
        "--against",
        "../examples/checkpoint");
  }

  @Test
  void aReplayIsMeasuredAgainstOneObservationAfterTheOther() throws Exception {
    JsonNode rates = replay(IMAGES, "--stride", "10", "--measure", "2");
    assertThat(rates.get("rounds")).hasSize(2);
    for (JsonNode round : rates.get("rounds")) {
      assertThat(round.get("serial").asDouble()).isPositive();
      assertThat(round.get("engineShare").asDouble()).isBetween(0.0, 1.0);
      assertThat(round.get("ratio").asDouble())
          .isCloseTo(round.get("replay").asDouble() / round.get("serial").asDouble(), within(1e-9));
    }
    assertThat(rates.get("median").asDouble()).isPositive();
    refused("--measure is 0: expected 1 or more", "--dataset", IMAGES, "--measure", "0");
  }

  @Test
  void whatCannotStartIsOneSentence() {
    refused("is not a directory, but a LeRobot dataset is one", "--dataset", "nothing");
    refused("has no episode 9; it has 0 to 3", "--dataset", IMAGES, "--episodes", "9");
    refused("'3-1' is no list of episodes", "--dataset", IMAGES, "--episodes", "3-1");
    refused("is no place in an episode", "--dataset", IMAGES, "--from", "soon");
    refused("no episode has a frame between", "--dataset", IMAGES, "--from", "1000");
    refused("stride is 0: expected 1 or more", "--dataset", IMAGES, "--stride", "0");
    refused("samples is 0: expected 1 or more", "--dataset", IMAGES, "--samples", "0");
    refused("--max-batch is 0: expected 1 or more", "--dataset", IMAGES, "--max-batch", "0");
    refused("has no such camera", "--dataset", IMAGES, "--camera", "left=top");
    refused("there is no such folder", "--dataset", IMAGES, "--against", "nothing");
    refused(
        "is there already: expected a directory that is not",
        "--dataset",
        IMAGES,
        "--lerobot",
        directory.toString());
  }

  @Test
  void aDatasetWithoutAnyWholeEpisodeIsRefused() throws IOException {
    Path copy = directory.resolve("images");
    DatasetFiles.copy(Path.of(IMAGES), copy);
    Files.writeString(copy.resolve("data/chunk-000/file-000.parquet"), "garbage");
    refused("no episode can be replayed: ", "--dataset", copy.toString());
  }

  private static double normalised(JsonNode result) {
    return result.at("/error/normalisedRmse").asDouble();
  }

  private static void assertAccounted(JsonNode result, int frames) {
    assertThat(result.get("frames").asInt()).isEqualTo(frames);
    assertThat(result.get("chunks").asInt()).isEqualTo(frames);
    assertThat(result.get("rejected").asInt()).isZero();
    assertThat(result.get("skippedEpisodes")).isEmpty();
  }

  private JsonNode replay(String dataset, String... arguments) throws IOException {
    Path json = Files.createTempDirectory(directory, "replay").resolve("out.json");
    List<String> all =
        new ArrayList<>(
            List.of(
                "replay",
                "--dataset",
                dataset,
                "--checkpoint",
                "../examples/checkpoint",
                "--json",
                json.toString()));
    all.addAll(Arrays.asList(arguments));
    CommandLineRun run = CommandLineRun.of(all.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return JSON.readTree(json.toFile());
  }

  private static void refused(String sentence, String... arguments) {
    List<String> all = new ArrayList<>(List.of("replay", "--checkpoint", "../examples/checkpoint"));
    all.addAll(Arrays.asList(arguments));
    CommandLineRun run = CommandLineRun.of(all.toArray(String[]::new));
    assertThat(run.err()).contains(sentence);
    assertThat(run.code()).isEqualTo(2);
  }

  private static String rows(String select, Path parquet) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(select + " '" + parquet + "'")) {
      row.next();
      return row.getLong(1) + " " + row.getLong(2);
    }
  }
}
