package dev.pi0stream.operators.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.image.Frame;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeRobotDatasetTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path VIDEO = Path.of("../examples/episodes");
  private static final Path IMAGES = Path.of("../tests/datasets/images");
  private static final Path V21 = Path.of("../tests/datasets/v21");
  private static final Path EXPECTED = Path.of("../tests/datasets/expected.safetensors");
  private static final String INFO = "meta/info.json";
  private static final String EPISODES = "meta/episodes/chunk-000/file-000.parquet";
  private static final String DATA = "data/chunk-000/file-000.parquet";
  private static final String TOP = "videos/observation.images.top/chunk-000/file-000.mp4";

  @TempDir private Path directory;

  @Test
  void describesTheEpisodes() {
    try (LeRobotDataset dataset = LeRobotDataset.open(VIDEO)) {
      assertThat(dataset.fps()).isEqualTo(10);
      assertThat(dataset.cameras()).containsExactly("top", "wrist");
      assertThat(dataset.stateNames()).containsExactly("x", "y", "opening");
      assertThat(dataset.actionNames()).containsExactly("dx", "dy", "opening");
      assertThat(dataset.episodes())
          .extracting(Episode::length)
          .containsExactly(23, 42, 29, 35, 18, 30, 40, 42, 43, 31, 46, 49);
      assertThat(dataset.episodes().get(2).index()).isEqualTo(2);
      assertThat(dataset.episodes().get(2).tasks())
          .containsExactly("move the green block to the black tray");
    }
  }

  @Test
  void framesOfVideosAreThoseOfLeRobot() throws IOException {
    assertThat(compare("video", VIDEO)).isGreaterThanOrEqualTo(40);
  }

  @Test
  void framesOfVersion21InAv1AndH264AreThoseOfLeRobot() throws IOException {
    assertThat(compare("v21", V21)).isGreaterThanOrEqualTo(40);
  }

  @Test
  void framesInTablesAreExact() throws IOException {
    assertThat(compare("images", IMAGES)).isInfinite();
  }

  @Test
  void onlyTheCamerasAskedForAreDecoded() {
    try (LeRobotDataset dataset = LeRobotDataset.open(VIDEO);
        EpisodeReader reader = dataset.read(dataset.episodes().get(3), List.of("wrist"))) {
      assertThat(reader.next().frames()).containsOnlyKeys("wrist");
      assertThatThrownBy(() -> dataset.read(dataset.episodes().get(3), List.of("left")))
          .hasMessageContaining("has no camera left; it has [top, wrist]");
    }
  }

  @Test
  void aPartOfAnEpisodeIsThatPartOfAll() {
    for (Path root : List.of(VIDEO, IMAGES, V21)) {
      try (LeRobotDataset dataset = LeRobotDataset.open(root)) {
        Episode episode = dataset.episodes().getLast();
        List<Step> all = steps(dataset, episode, StepRange.ALL);
        for (StepRange range :
            List.of(
                new StepRange(3, 9, 1),
                new StepRange(1, Integer.MAX_VALUE, 4),
                new StepRange(episode.length() - 1, episode.length(), 1),
                new StepRange(0, episode.length(), episode.length() - 1))) {
          List<Step> part = steps(dataset, episode, range);
          assertThat(part).hasSize(range.count(episode.length()));
          for (Step step : part) {
            assertThat(range.contains(step.frameIndex())).isTrue();
            Step whole = all.get(step.frameIndex());
            assertThat(step.state()).isEqualTo(whole.state());
            step.frames()
                .forEach(
                    (camera, frame) ->
                        assertThat(frame.data()).isEqualTo(whole.frames().get(camera).data()));
          }
        }
      }
    }
  }

  @Test
  void stepsAreFoundByTheirNumberInTheDataset() {
    try (LeRobotDataset dataset = LeRobotDataset.open(V21)) {
      assertThat(dataset.episodeAt(27).orElseThrow().index()).isEqualTo(1);
      assertThat(dataset.episodeAt(26).orElseThrow().index()).isZero();
      assertThat(dataset.episodeAt(165)).isEmpty();
      assertThat(dataset.version()).isEqualTo("v2.1");
      assertThat(dataset.episodes())
          .extracting(Episode::length)
          .containsExactly(27, 27, 29, 43, 39);
    }
  }

  @Test
  void anEpisodeWithoutItsVideoIsADefectOfThatEpisode() throws IOException {
    Path copy = copy(V21);
    Path video = copy.resolve("videos/chunk-000/observation.images.wrist/episode_000002.mp4");
    Files.delete(video);
    refused(copy).hasMessageStartingWith(video + " is not there");
    try (LeRobotDataset dataset = LeRobotDataset.openWithDefects(copy)) {
      assertThat(dataset.defects()).containsOnlyKeys(2);
      assertThat(dataset.defects().get(2)).startsWith(video + " is not there");
      assertThat(DatasetCheck.defects(dataset, DatasetCheck.Depth.ENDS)).containsOnlyKeys(2);
    }
  }

  @Test
  void theCheckFindsWhatIsNotWhole() throws IOException {
    for (Path root : List.of(VIDEO, IMAGES, V21)) {
      try (LeRobotDataset dataset = LeRobotDataset.openWithDefects(root)) {
        assertThat(DatasetCheck.defects(dataset, DatasetCheck.Depth.ALL)).isEmpty();
      }
    }
    Path copy = copy(V21);
    Path video = copy.resolve("videos/chunk-000/observation.images.top/episode_000003.mp4");
    byte[] bytes = Files.readAllBytes(video);
    Files.write(video, Arrays.copyOf(bytes, bytes.length / 2));
    Files.writeString(copy.resolve("data/chunk-000/episode_000001.parquet"), "garbage");
    try (LeRobotDataset dataset = LeRobotDataset.openWithDefects(copy)) {
      assertThat(DatasetCheck.defects(dataset, DatasetCheck.Depth.ENDS)).containsOnlyKeys(1, 3);
    }
  }

  @Test
  void linesThatAreNoJsonAreNamed() throws IOException {
    Path copy = copy(V21);
    Path episodes = copy.resolve("meta/episodes.jsonl");
    Files.writeString(episodes, Files.readString(episodes) + "{\"episode_index\": \n");
    refused(copy).hasMessageStartingWith(episodes + ": line 6 cannot be read as JSON");

    Path tasks = copy(V21);
    Files.delete(tasks.resolve("meta/tasks.jsonl"));
    refused(tasks).hasMessageStartingWith(tasks.resolve("meta/tasks.jsonl") + " is not there");
  }

  @Test
  void aTaskWithoutTextIsNamed() throws IOException {
    Path copy = copy(V21);
    Files.writeString(
        copy.resolve("meta/tasks.jsonl"),
        "{\"task_index\": 0, \"task\": \"move the red block to the white tray\"}");
    unreadable(copy, 1)
        .hasMessageContaining("episode 1 has task_index 1, which meta/tasks.jsonl does not list");
  }

  @Test
  void statisticsThatDoNotFitAreNamed() throws IOException {
    Path sizes = copy(VIDEO);
    editStatistics(sizes, action -> action.putArray("min").add(0).add(0));
    refused(sizes).hasMessageContaining("the min of action has 2 numbers, but info.json says 3");

    Path order = copy(VIDEO);
    editStatistics(order, action -> action.putArray("mean").add(9).add(0).add(0.5));
    refused(order)
        .hasMessageContaining("number 0 of action has min")
        .hasMessageContaining("mean 9.0");

    Path others = copy(VIDEO);
    editStatistics(
        others,
        action -> {
          action.putArray("min").add(5).add(-1).add(0);
          action.putArray("max").add(7).add(1).add(1);
          action.putArray("mean").add(6).add(0).add(0.5);
        });
    try (LeRobotDataset dataset = LeRobotDataset.openWithDefects(others)) {
      assertThat(DatasetCheck.defects(dataset, DatasetCheck.Depth.ENDS)).hasSize(12);
      assertThat(DatasetCheck.defects(dataset, DatasetCheck.Depth.ENDS).get(0))
          .contains("number 0 of action lies in 5.0 to 7.0, but frame 0 of episode 0 has");
    }
  }

  @Test
  void aFeatureKeyDoesNotLeadOutOfTheDataset() {
    refused(
            V21,
            info -> {
              ObjectNode features = (ObjectNode) info.get("features");
              features.set("../../../../etc", features.get("observation.images.top"));
            })
        .hasMessageContaining("outside the dataset's directory");
  }

  @Test
  void readersOfSeveralEpisodesDoNotDisturbEachOther() {
    try (LeRobotDataset dataset = LeRobotDataset.open(VIDEO)) {
      List<EpisodeReader> readers = dataset.episodes().stream().map(dataset::read).toList();
      List<Long> indices = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.forEach(reader -> indices.add(reader.next().index()));
      }
      readers.forEach(EpisodeReader::close);
      assertThat(indices).hasSize(36).startsWith(0L, 23L, 65L).endsWith(304L, 335L, 381L);
    }
  }

  @Test
  void anotherVersionIsRefusedByName() {
    refused(VIDEO, info -> info.put("codebase_version", "v2.0"))
        .hasMessageContaining("version v2.0; v3.0 and v2.1 are read");
  }

  @Test
  void pathsDoNotLeaveTheDataset() {
    refused(VIDEO, info -> info.put("data_path", "../{chunk_index}/{file_index:03d}.parquet"))
        .hasMessageContaining("data_path leads to \"../0/000.parquet\"")
        .hasMessageContaining("outside the dataset's directory");
    refused(VIDEO, info -> info.put("video_path", "/tmp/{video_key}.mp4"))
        .hasMessageContaining("video_path")
        .hasMessageContaining("outside the dataset's directory");
    refused(VIDEO, info -> info.put("data_path", "data/{episode}.parquet"))
        .hasMessageContaining("{episode} is none of");
  }

  @Test
  void whatInfoSaysMustBeThereAndAgree() {
    refused(VIDEO, info -> info.remove("fps")).hasMessageContaining("fps is missing");
    refused(VIDEO, info -> info.put("fps", 0)).hasMessageContaining("fps is 0");
    refused(VIDEO, info -> info.remove("features")).hasMessageContaining("features is missing");
    refused(VIDEO, info -> info.put("total_frames", 429))
        .hasMessageContaining("info.json counts 429 frames")
        .hasMessageContaining("add up to 428");
    refused(VIDEO, info -> info.put("total_episodes", 13))
        .hasMessageContaining("13 episodes, but meta/episodes lists 12");
    refused(VIDEO, info -> ((ObjectNode) info.get("features")).remove("action"))
        .hasMessageContaining("has no feature action");
  }

  @Test
  void anEmptyDatasetIsRefused() throws Exception {
    Path copy = copy(IMAGES);
    rewrite(copy.resolve(EPISODES), "SELECT * FROM %s LIMIT 0");
    edit(copy, info -> info.put("total_episodes", 0).put("total_frames", 0));
    refused(copy).hasMessageEndingWith("is a dataset without episodes");
  }

  @Test
  void missingFilesAreNamed() throws IOException {
    for (String file : List.of(INFO, "meta/tasks.parquet", DATA, TOP)) {
      Path copy = copy(VIDEO);
      Files.delete(copy.resolve(file));
      refused(copy).hasMessageStartingWith(copy.resolve(file) + " is not there");
    }
    refused(directory.resolve("nothing")).hasMessageContaining("is not a directory");
  }

  @Test
  void brokenFilesAreNamed() throws IOException {
    for (String file : List.of("meta/tasks.parquet", EPISODES)) {
      Path copy = copy(VIDEO);
      Files.writeString(copy.resolve(file), "garbage");
      refused(copy).hasMessageStartingWith(copy.resolve(file) + " cannot be read");
    }
    Path copy = copy(VIDEO);
    Files.writeString(copy.resolve(INFO), "{\"codebase_version\": ");
    refused(copy).hasMessageStartingWith(copy.resolve(INFO) + " cannot be read as JSON");
  }

  @Test
  void brokenVideosAreNamed() throws IOException {
    Path garbage = copy(VIDEO);
    Files.writeString(garbage.resolve(TOP), "garbage");
    unreadable(garbage, 0).hasMessageStartingWith(garbage.resolve(TOP) + " is no readable MP4");

    byte[] video = Files.readAllBytes(VIDEO.resolve(TOP));
    Path truncated = copy(VIDEO);
    Files.write(truncated.resolve(TOP), Arrays.copyOf(video, video.length / 2));
    unreadable(truncated, 5).hasMessageStartingWith(truncated.resolve(TOP).toString());

    Path unknown = copy(VIDEO);
    String patched = new String(video, StandardCharsets.ISO_8859_1).replace("av01", "zzzz");
    Files.write(unknown.resolve(TOP), patched.getBytes(StandardCharsets.ISO_8859_1));
    unreadable(unknown, 0).hasMessageContaining("for which there is no decoder");
  }

  @Test
  void countsThatDisagreeAreNamed() throws Exception {
    Path length = copy(VIDEO);
    rewrite(
        length.resolve(EPISODES),
        "SELECT * REPLACE (CASE episode_index WHEN 0 THEN 24 ELSE length END AS length) FROM %s");
    refused(length)
        .hasMessageContaining("the length of episode 0 is 24, but its dataset indices span 23");

    Path span = copy(VIDEO);
    rewrite(
        span.resolve(EPISODES),
        """
        SELECT * REPLACE ("videos/observation.images.top/to_timestamp" + 0.1
          AS "videos/observation.images.top/to_timestamp") FROM %s""");
    refused(span)
        .hasMessageContaining("episode 0 has 23 frames")
        .hasMessageContaining("observation.images.top goes on for 24.0");

    Path missing = copy(VIDEO);
    rewrite(missing.resolve(DATA), "SELECT * FROM %s WHERE index <> 22");
    unreadable(missing, 0).hasMessageContaining("has 22 rows of episode 0, but its length is 23");

    Path gap = copy(VIDEO);
    rewrite(gap.resolve(DATA), "SELECT * FROM %s WHERE index <> 5");
    unreadable(gap, 0).hasMessageContaining("row 5 of episode 0 has frame_index 6");

    Path surplus = copy(VIDEO);
    rewrite(surplus.resolve(DATA), "SELECT * FROM %s UNION ALL SELECT * FROM %<s WHERE index = 22");
    unreadable(surplus, 0).hasMessageContaining("has more rows of episode 0 than its length, 23");

    Path between = copy(VIDEO);
    rewrite(
        between.resolve(DATA),
        "SELECT * REPLACE (CAST(timestamp + 0.05 AS FLOAT) AS timestamp) FROM %s");
    unreadable(between, 0).hasMessageContaining("has no frame at 0.0500 s: the next one is at");
  }

  @Test
  void valuesOfAnotherShapeAreNamed() throws Exception {
    Path action = copy(IMAGES);
    rewrite(action.resolve(DATA), "SELECT * REPLACE ([1.0::FLOAT] AS action) FROM %s");
    unreadable(action, 1).hasMessageContaining("action of episode 1 has 1 numbers");

    Path column = copy(IMAGES);
    rewrite(column.resolve(DATA), "SELECT * EXCLUDE (\"observation.state\") FROM %s");
    unreadable(column, 0).hasMessageEndingWith("has no column observation.state");

    Path frame = copy(IMAGES);
    rewrite(
        frame.resolve(DATA),
        """
        SELECT * REPLACE ({'bytes': 'PNG'::BLOB, 'path': ''} AS "observation.images.top")
        FROM %s""");
    unreadable(frame, 0).hasMessageContaining("observation.images.top").hasMessageContaining("PNG");

    Path size = copy(VIDEO);
    edit(
        size,
        info ->
            ((ObjectNode) info.get("features").get("observation.images.top"))
                .putArray("shape")
                .add(100)
                .add(112)
                .add(3));
    unreadable(size, 0).hasMessageContaining("112 x 112, but info.json says 112 x 100");
  }

  @Test
  void aTemplateIsFilledInAsPythonDoes() {
    PathTemplate template =
        new PathTemplate(Path.of("/data/set"), "video_path", "v/{key}/{a:03d}-{b}-{b:2d}.mp4");
    assertThat(template.resolve(Map.of("key", "x.y", "a", 1234L, "b", 7L)))
        .isEqualTo(Path.of("/data/set/v/x.y/1234-7- 7.mp4"));
    assertThat(template.resolve(Map.of("key", "k", "a", 5L, "b", 12L)))
        .isEqualTo(Path.of("/data/set/v/k/005-12-12.mp4"));
  }

  /** Compares every row that LeRobot's reader gave; the worst signal-to-noise ratio of a frame. */
  private static double compare(String name, Path root) throws IOException {
    double worst = Double.POSITIVE_INFINITY;
    int compared = 0;
    try (Safetensors expected = Safetensors.open(EXPECTED);
        LeRobotDataset dataset = LeRobotDataset.open(root)) {
      for (JsonNode row : JSON.readTree(expected.metadata().get("rows"))) {
        if (!row.get("dataset").asText().equals(name)) {
          continue;
        }
        compared++;
        Episode episode = dataset.episodes().get(row.get("episode_index").asInt());
        Step step = step(dataset, episode, row.get("frame_index").asInt());
        String prefix = name + "/" + row.get("index").asLong() + "/";
        assertThat(step.index()).isEqualTo(row.get("index").asLong());
        assertThat(step.task()).isEqualTo(row.get("task").asText());
        assertThat(step.timestamp()).isEqualTo(row.get("timestamp").asDouble());
        assertThat(step.state()).isEqualTo(expected.get(prefix + "observation.state").floats());
        assertThat(step.action()).isEqualTo(expected.get(prefix + "action").floats());
        for (String camera : List.of("top", "wrist")) {
          byte[] pixels = expected.get(prefix + "observation.images." + camera).bytes();
          worst = Math.min(worst, decibels(step.frames().get(camera), pixels));
        }
      }
    }
    assertThat(compared).isPositive();
    return worst;
  }

  private static List<Step> steps(LeRobotDataset dataset, Episode episode, StepRange range) {
    List<Step> steps = new ArrayList<>();
    try (EpisodeReader reader = dataset.read(episode, dataset.cameras(), range)) {
      reader.forEachRemaining(steps::add);
    }
    return steps;
  }

  private static void editStatistics(Path root, Consumer<ObjectNode> change) throws IOException {
    Path file = root.resolve("meta/stats.json");
    ObjectNode statistics = (ObjectNode) JSON.readTree(file.toFile());
    change.accept((ObjectNode) statistics.get("action"));
    JSON.writeValue(file.toFile(), statistics);
  }

  private static Step step(LeRobotDataset dataset, Episode episode, int frameIndex) {
    try (EpisodeReader reader = dataset.read(episode)) {
      Step step = reader.next();
      while (step.frameIndex() < frameIndex) {
        step = reader.next();
      }
      return step;
    }
  }

  /** The peak signal-to-noise ratio; infinite for equal pictures. */
  private static double decibels(Frame frame, byte[] expected) {
    assertThat(frame.data()).hasSameSizeAs(expected);
    double squares =
        IntStream.range(0, expected.length)
            .mapToDouble(i -> (frame.data()[i] & 0xFF) - (expected[i] & 0xFF))
            .map(difference -> difference * difference)
            .average()
            .orElseThrow();
    return 10 * Math.log10(255.0 * 255.0 / squares);
  }

  private AbstractThrowableAssert<?, ?> refused(Path source, Consumer<ObjectNode> change) {
    try {
      Path copy = copy(source);
      edit(copy, change);
      return refused(copy);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static AbstractThrowableAssert<?, ?> refused(Path dataset) {
    return assertThatThrownBy(() -> LeRobotDataset.open(dataset).close())
        .isInstanceOf(DatasetException.class);
  }

  private static AbstractThrowableAssert<?, ?> unreadable(Path root, int episode) {
    return assertThatThrownBy(
            () -> {
              try (LeRobotDataset dataset = LeRobotDataset.open(root);
                  EpisodeReader reader = dataset.read(dataset.episodes().get(episode))) {
                while (reader.hasNext()) {
                  reader.next();
                }
              }
            })
        .isInstanceOf(DatasetException.class);
  }

  private static void edit(Path root, Consumer<ObjectNode> change) throws IOException {
    Path file = root.resolve(INFO);
    ObjectNode info = (ObjectNode) JSON.readTree(file.toFile());
    change.accept(info);
    JSON.writeValue(file.toFile(), info);
  }

  /** Replaces a table by what a query makes of it; %s stands for the table. */
  private static void rewrite(Path file, String query) throws SQLException, IOException {
    Path changed = file.resolveSibling("changed");
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement()) {
      statement.execute(
          "COPY (%s) TO '%s' (FORMAT parquet)"
              .formatted(query.formatted("read_parquet('" + file + "')"), changed));
    }
    Files.move(changed, file, StandardCopyOption.REPLACE_EXISTING);
  }

  private Path copy(Path source) throws IOException {
    Path target = Files.createTempDirectory(directory, "dataset");
    try (Stream<Path> files = Files.walk(source)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = target.resolve(source.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    return target;
  }
}
