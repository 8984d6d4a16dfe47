package dev.pi0stream.operators.dataset;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A LeRobotDataset of version 3.0 or 2.1: logged episodes whose rows are in Parquet files and whose
 * camera frames are in video files or in the rows. Opening it reads the metadata and finds every
 * file; the episodes themselves are read when {@link #read} asks for them.
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
  private final Tasks tasks;
  private final List<Episode> episodes;
  private final Map<Integer, String> defects;
  private final Optional<DatasetStatistics> statistics;

  private LeRobotDataset(
      Path root,
      DatasetInfo info,
      Parquet parquet,
      Tasks tasks,
      List<Episode> episodes,
      Map<Integer, String> defects,
      Optional<DatasetStatistics> statistics) {
    this.root = root;
    this.info = info;
    this.parquet = parquet;
    this.tasks = tasks;
    this.episodes = episodes;
    this.defects = defects;
    this.statistics = statistics;
  }

  /**
   * Opens the dataset in a directory, all of whose episodes are wanted.
   *
   * @throws DatasetException when it is none, or of another version, or its metadata disagree, or a
   *     file is missing
   */
  public static LeRobotDataset open(Path directory) {
    LeRobotDataset dataset = openWithDefects(directory);
    if (!dataset.defects.isEmpty()) {
      dataset.close();
      throw new DatasetException(dataset.defects.values().iterator().next());
    }
    return dataset;
  }

  /**
   * Opens a dataset of which single episodes may be unusable; {@link #defects} tells which.
   *
   * @throws DatasetException when the dataset as a whole cannot be used
   */
  public static LeRobotDataset openWithDefects(Path directory) {
    Path root = directory.toAbsolutePath().normalize();
    if (!Files.isDirectory(root)) {
      throw new DatasetException(root + " is not a directory, but a LeRobot dataset is one");
    }
    DatasetInfo info = DatasetInfo.read(root);
    requireFeature(root, info, STATE);
    requireFeature(root, info, ACTION);
    Parquet parquet = new Parquet();
    try {
      EpisodeList list =
          switch (info.version()) {
            case V3_0 -> new EpisodeTable(root, info, parquet);
            case V2_1 -> new EpisodeLines(root, info);
          };
      Map<Integer, String> defects = new TreeMap<>();
      List<Episode> episodes = list(root, info, list, defects);
      if (defects.isEmpty()) {
        checkFrames(root, info, episodes);
      }
      return new LeRobotDataset(
          root,
          info,
          parquet,
          new Tasks(root.relativize(list.tasksFile()), list.tasks()),
          episodes,
          Collections.unmodifiableMap(defects),
          statistics(root, info));
    } catch (RuntimeException e) {
      parquet.close();
      throw e;
    }
  }

  /** Its directory. */
  public Path root() {
    return root;
  }

  /** The layout, as {@code codebase_version} names it. */
  public String version() {
    return info.version().label();
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

  /** Numbers of an action. */
  public int actionDimensions() {
    return info.features().get(ACTION).size();
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

  /** Why episodes cannot be used, one sentence by the episode's number. */
  public Map<Integer, String> defects() {
    return defects;
  }

  /** The instructions by their number. */
  public Map<Long, String> tasks() {
    return tasks.texts();
  }

  /** The episode that holds a step, by the step's number in the dataset. */
  public Optional<Episode> episodeAt(long index) {
    return episodes.stream()
        .filter(e -> e.firstIndex() <= index && index < e.firstIndex() + e.length())
        .findFirst();
  }

  /** Starts to read an episode with the frames of all cameras. */
  public EpisodeReader read(Episode episode) {
    return read(episode, cameras());
  }

  /** Starts to read an episode from its first step to its last. */
  public EpisodeReader read(Episode episode, Collection<String> cameras) {
    return read(episode, cameras, StepRange.ALL);
  }

  /**
   * Starts to read an episode. Rows come in order, and frames are decoded as they are asked for;
   * those of steps that are not wanted are passed over.
   *
   * @param cameras those whose frames are wanted, without {@code observation.images.}
   */
  public EpisodeReader read(Episode episode, Collection<String> cameras, StepRange steps) {
    List<Feature> features = new ArrayList<>();
    for (String camera : cameras) {
      features.add(cameraFeature(camera));
    }
    return EpisodeReader.open(info, parquet, tasks, episode, features, steps);
  }

  /**
   * Checks a step against the statistics that the dataset states of itself, if it does.
   *
   * @throws DatasetException when the step lies outside of them
   */
  public void checkStatistics(Episode episode, Step step) {
    statistics.ifPresent(stated -> stated.check(episode, step));
  }

  /** Closes the dataset; its readers end with it. */
  @Override
  public void close() {
    parquet.close();
  }

  /**
   * The instructions.
   *
   * @param file where they are, in the dataset
   */
  record Tasks(Path file, Map<Long, String> texts) {}

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

  private static List<Episode> list(
      Path root, DatasetInfo info, EpisodeList list, Map<Integer, String> defects) {
    Map<Integer, Episode> episodes = new TreeMap<>();
    list.read(
        (episode, defect) -> {
          if (episodes.put(episode.index(), episode) != null) {
            throw new DatasetException(
                "%s: the dataset lists episode %d twice".formatted(root, episode.index()));
          }
          String first = defect != null ? defect : missingFile(episode);
          if (first != null) {
            defects.put(episode.index(), first);
          }
        });
    if (episodes.isEmpty()) {
      throw new DatasetException(root + " is a dataset without episodes");
    }
    if (episodes.size() != info.totalEpisodes()) {
      throw new DatasetException(
          "%s: info.json counts %d episodes, but meta/episodes lists %d"
              .formatted(root, info.totalEpisodes(), episodes.size()));
    }
    return List.copyOf(episodes.values());
  }

  private static void checkFrames(Path root, DatasetInfo info, List<Episode> episodes) {
    long frames = episodes.stream().mapToLong(Episode::length).sum();
    if (frames != info.totalFrames()) {
      throw new DatasetException(
          "%s: info.json counts %d frames, but the lengths of the episodes add up to %d"
              .formatted(root, info.totalFrames(), frames));
    }
  }

  private static String missingFile(Episode episode) {
    return Stream.concat(
            Stream.of(episode.data()), episode.videos().values().stream().map(VideoSpan::file))
        .filter(file -> !Files.isRegularFile(file))
        .findFirst()
        .map(file -> file + " is not there, but the dataset refers to it")
        .orElse(null);
  }

  private static Optional<DatasetStatistics> statistics(Path root, DatasetInfo info) {
    Path file = root.resolve("meta").resolve("stats.json");
    return Files.isRegularFile(file)
        ? Optional.of(DatasetStatistics.read(file, DatasetInfo.parse(file), info))
        : Optional.empty();
  }
}
