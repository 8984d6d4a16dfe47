package dev.pi0stream.operators.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A LeRobotDataset v3.0: logged episodes whose rows are in Parquet files and whose camera frames
 * are in video files or in the rows. Opening it reads the metadata and finds every file; the
 * episodes themselves are read when {@link #read} asks for them.
 *
 * <p>Mirrors {@code lerobot/datasets/lerobot_dataset.py}. Safe for use by several threads.
 */
public final class LeRobotDataset implements AutoCloseable {
  /** The prefix of the keys of camera features. */
  public static final String CAMERA_PREFIX = "observation.images.";

  static final String STATE = "observation.state";
  static final String ACTION = "action";

  private final Path root;
  private final DatasetInfo info;
  private final Parquet parquet;
  private final Map<Long, String> tasks;
  private final List<Episode> episodes;

  private LeRobotDataset(
      Path root,
      DatasetInfo info,
      Parquet parquet,
      Map<Long, String> tasks,
      List<Episode> episodes) {
    this.root = root;
    this.info = info;
    this.parquet = parquet;
    this.tasks = tasks;
    this.episodes = episodes;
  }

  /**
   * Opens the dataset in a directory.
   *
   * @throws DatasetException when it is none, or of another version, or its metadata disagree, or a
   *     file is missing
   */
  public static LeRobotDataset open(Path directory) {
    Path root = directory.toAbsolutePath().normalize();
    if (!Files.isDirectory(root)) {
      throw new DatasetException(root + " is not a directory, but a LeRobot dataset is one");
    }
    DatasetInfo info = DatasetInfo.read(root);
    requireFeature(root, info, STATE);
    requireFeature(root, info, ACTION);
    Parquet parquet = new Parquet();
    try {
      List<Episode> episodes = new EpisodeTable(root, info, parquet).read();
      check(root, info, episodes);
      return new LeRobotDataset(root, info, parquet, tasks(root, parquet), episodes);
    } catch (RuntimeException e) {
      parquet.close();
      throw e;
    }
  }

  /** Its directory. */
  public Path root() {
    return root;
  }

  /** Steps in a second. */
  public double fps() {
    return info.fps();
  }

  /** All features by key, in the order of {@code info.json}. */
  public Map<String, Feature> features() {
    return info.features();
  }

  /** The cameras' names, without {@code observation.images.}, in the order of {@code info.json}. */
  public List<String> cameras() {
    return info.features().values().stream()
        .filter(feature -> feature.isVideo() || feature.isImage())
        .map(feature -> cameraName(feature.key()))
        .toList();
  }

  /** Numbers of a state. */
  public int stateDimensions() {
    return info.features().get(STATE).size();
  }

  /** The names of the state's numbers; empty when the dataset does not name them. */
  public List<String> stateNames() {
    return info.features().get(STATE).names();
  }

  /** The names of an action's numbers; empty when the dataset does not name them. */
  public List<String> actionNames() {
    return info.features().get(ACTION).names();
  }

  /** Every episode, by index; at least one. */
  public List<Episode> episodes() {
    return episodes;
  }

  /** Starts to read an episode with the frames of all cameras. */
  public EpisodeReader read(Episode episode) {
    return read(episode, cameras());
  }

  /**
   * Starts to read an episode. Rows come in order, and frames are decoded as they are asked for.
   *
   * @param cameras those whose frames are wanted, without {@code observation.images.}
   */
  public EpisodeReader read(Episode episode, Collection<String> cameras) {
    List<Feature> features = new ArrayList<>();
    for (String camera : cameras) {
      features.add(cameraFeature(camera));
    }
    return EpisodeReader.open(info, parquet, tasks, episode, features);
  }

  /** Closes the dataset; its readers end with it. */
  @Override
  public void close() {
    parquet.close();
  }

  /** The name of the camera whose feature has this key. */
  static String cameraName(String key) {
    return key.startsWith(CAMERA_PREFIX) ? key.substring(CAMERA_PREFIX.length()) : key;
  }

  private Feature cameraFeature(String camera) {
    Feature feature =
        info.features().values().stream()
            .filter(f -> (f.isVideo() || f.isImage()) && cameraName(f.key()).equals(camera))
            .findFirst()
            .orElseThrow(
                () ->
                    new DatasetException(
                        "%s has no camera %s; it has %s".formatted(root, camera, cameras())));
    if (feature.depth()) {
      throw new DatasetException(
          "%s: camera %s is a depth map, but colours were expected".formatted(root, camera));
    }
    return feature;
  }

  private static void requireFeature(Path root, DatasetInfo info, String key) {
    Feature feature = info.features().get(key);
    if (feature == null) {
      throw new DatasetException(
          "%s has no feature %s; it has %s".formatted(root, key, info.features().keySet()));
    }
    if (!feature.dtype().startsWith("float")) {
      throw new DatasetException(
          "%s: feature %s is of dtype %s, but float32 or float64 was expected"
              .formatted(root, key, feature.dtype()));
    }
  }

  private static void check(Path root, DatasetInfo info, List<Episode> episodes) {
    if (episodes.isEmpty()) {
      throw new DatasetException(root + " is a dataset without episodes");
    }
    if (episodes.size() != info.totalEpisodes()) {
      throw new DatasetException(
          "%s: info.json counts %d episodes, but meta/episodes lists %d"
              .formatted(root, info.totalEpisodes(), episodes.size()));
    }
    long frames = episodes.stream().mapToLong(Episode::length).sum();
    if (frames != info.totalFrames()) {
      throw new DatasetException(
          "%s: info.json counts %d frames, but the lengths of the episodes add up to %d"
              .formatted(root, info.totalFrames(), frames));
    }
    Stream<Path> files =
        episodes.stream()
            .flatMap(
                episode ->
                    Stream.concat(
                        Stream.of(episode.data()),
                        episode.videos().values().stream().map(VideoSpan::file)));
    files
        .distinct()
        .filter(file -> !Files.isRegularFile(file))
        .findFirst()
        .ifPresent(
            file -> {
              throw new DatasetException(file + " is not there, but the dataset refers to it");
            });
  }

  /**
   * The instructions are a column of their own or, as pandas writes an unnamed index, its index.
   */
  private static Map<Long, String> tasks(Path root, Parquet parquet) {
    Path file = root.resolve("meta").resolve("tasks.parquet");
    if (!Files.isRegularFile(file)) {
      throw new DatasetException(file + " is not there, but a LeRobot dataset has one");
    }
    Set<String> columns = parquet.columns(file);
    String text = columns.contains("task") ? "task" : "__index_level_0__";
    Map<Long, String> tasks = new HashMap<>();
    try (Parquet.Rows rows = parquet.rows(file, List.of("task_index", text))) {
      while (rows.next()) {
        tasks.put(rows.integer(1), rows.text(2));
      }
    }
    return Map.copyOf(tasks);
  }

  /** {@code meta/episodes}: one row for each episode, in one file or several. */
  private record EpisodeTable(Path root, DatasetInfo info, Parquet parquet) {
    List<Episode> read() {
      List<Episode> episodes = new ArrayList<>();
      for (Path file : files()) {
        read(file, episodes);
      }
      episodes.sort(Comparator.comparingInt(Episode::index));
      for (int i = 1; i < episodes.size(); i++) {
        if (episodes.get(i - 1).index() == episodes.get(i).index()) {
          throw new DatasetException(
              "%s: meta/episodes lists episode %d twice".formatted(root, episodes.get(i).index()));
        }
      }
      return List.copyOf(episodes);
    }

    private List<Path> files() {
      Path directory = root.resolve("meta").resolve("episodes");
      if (!Files.isDirectory(directory)) {
        throw new DatasetException(directory + " is not there, but a LeRobot dataset has one");
      }
      try (Stream<Path> all = Files.walk(directory)) {
        return all.filter(file -> file.toString().endsWith(".parquet")).sorted().toList();
      } catch (IOException e) {
        throw new DatasetException(directory + " cannot be listed: " + e.getMessage(), e);
      }
    }

    private void read(Path file, List<Episode> episodes) {
      List<String> columns =
          new ArrayList<>(
              List.of(
                  "episode_index",
                  "length",
                  "tasks",
                  "data/chunk_index",
                  "data/file_index",
                  "dataset_from_index",
                  "dataset_to_index"));
      List<Feature> videos = info.features().values().stream().filter(Feature::isVideo).toList();
      int fixed = columns.size();
      for (Feature video : videos) {
        String prefix = "videos/" + video.key() + "/";
        columns.add(prefix + "chunk_index");
        columns.add(prefix + "file_index");
        columns.add(prefix + "from_timestamp");
        columns.add(prefix + "to_timestamp");
      }
      try (Parquet.Rows rows = parquet.rows(file, columns)) {
        while (rows.next()) {
          Map<String, VideoSpan> spans = new HashMap<>();
          for (int v = 0; v < videos.size(); v++) {
            spans.put(videos.get(v).key(), span(rows, fixed + 4 * v + 1, videos.get(v).key()));
          }
          episodes.add(episode(rows, spans));
        }
      }
    }

    private Episode episode(Parquet.Rows rows, Map<String, VideoSpan> spans) {
      int index = Math.toIntExact(rows.integer(1));
      int length = Math.toIntExact(rows.integer(2));
      if (length <= 0) {
        throw new DatasetException(
            "%s: episode %d has %d frames".formatted(rows.file(), index, length));
      }
      long counted = rows.integer(7) - rows.integer(6);
      if (counted != length) {
        throw new DatasetException(
            "%s: the length of episode %d is %d, but its dataset indices span %d frames"
                .formatted(rows.file(), index, length, counted));
      }
      for (Map.Entry<String, VideoSpan> span : spans.entrySet()) {
        double frames = (span.getValue().to() - span.getValue().from()) * info.fps();
        if (!(Math.abs(frames - length) < 0.5)) {
          throw new DatasetException(
              "%s: episode %d has %d frames, but its video of %s goes on for %.1f"
                  .formatted(rows.file(), index, length, span.getKey(), frames));
        }
      }
      Path data =
          info.dataPath()
              .resolve(Map.of("chunk_index", rows.integer(4), "file_index", rows.integer(5)));
      return new Episode(index, length, rows.texts(3), data, spans);
    }

    private VideoSpan span(Parquet.Rows rows, int column, String key) {
      Path file =
          info.videoPath()
              .resolve(
                  Map.of(
                      "video_key", key,
                      "chunk_index", rows.integer(column),
                      "file_index", rows.integer(column + 1)));
      return new VideoSpan(file, rows.real(column + 2), rows.real(column + 3));
    }
  }
}
