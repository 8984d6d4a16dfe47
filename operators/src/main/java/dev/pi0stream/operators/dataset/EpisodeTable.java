package dev.pi0stream.operators.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The episodes of a dataset of version 3.0: {@code meta/episodes} holds one row for each, in one
 * file or several, and {@code meta/tasks.parquet} their instructions.
 */
record EpisodeTable(Path root, DatasetInfo info, Parquet parquet) implements EpisodeList {
  private static final List<String> COLUMNS =
      List.of(
          "episode_index",
          "length",
          "tasks",
          "data/chunk_index",
          "data/file_index",
          "dataset_from_index",
          "dataset_to_index");

  @Override
  public void read(EpisodeSink episodes) {
    for (Path file : files()) {
      read(file, episodes);
    }
  }

  @Override
  public Path tasksFile() {
    return root.resolve("meta").resolve("tasks.parquet");
  }

  /**
   * The instructions are a column of their own or, as pandas writes an unnamed index, its index.
   */
  @Override
  public Map<Long, String> tasks() {
    Path file = tasksFile();
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

  private void read(Path file, EpisodeSink episodes) {
    List<String> columns = new ArrayList<>(COLUMNS);
    List<Feature> videos = info.features().values().stream().filter(Feature::isVideo).toList();
    for (Feature video : videos) {
      String prefix = "videos/" + video.key() + "/";
      columns.add(prefix + "chunk_index");
      columns.add(prefix + "file_index");
      columns.add(prefix + "from_timestamp");
      columns.add(prefix + "to_timestamp");
    }
    try (Parquet.Rows rows = parquet.rows(file, columns)) {
      while (rows.next()) {
        Episode episode = episode(rows, videos);
        episodes.add(episode, defect(rows, episode));
      }
    }
  }

  private Episode episode(Parquet.Rows rows, List<Feature> videos) {
    Map<String, VideoSpan> spans = new HashMap<>();
    for (int v = 0; v < videos.size(); v++) {
      spans.put(videos.get(v).key(), span(rows, COLUMNS.size() + 4 * v + 1, videos.get(v).key()));
    }
    Path data =
        info.dataPath()
            .resolve(Map.of("chunk_index", rows.integer(4), "file_index", rows.integer(5)));
    return new Episode(
        Math.toIntExact(rows.integer(1)),
        rows.integer(6),
        Math.toIntExact(rows.integer(2)),
        rows.texts(3),
        data,
        spans);
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

  /** What the row of an episode says that cannot all be true; null when it can. */
  private String defect(Parquet.Rows rows, Episode episode) {
    int length = episode.length();
    if (length <= 0) {
      return "%s: %s has %d frames".formatted(rows.file(), episode, length);
    }
    long counted = rows.integer(7) - rows.integer(6);
    if (counted != length) {
      return "%s: the length of %s is %d, but its dataset indices span %d frames"
          .formatted(rows.file(), episode, length, counted);
    }
    for (Map.Entry<String, VideoSpan> span : episode.videos().entrySet()) {
      double frames = (span.getValue().to() - span.getValue().from()) * info.fps();
      if (!(Math.abs(frames - length) < 0.5)) {
        return "%s: %s has %d frames, but its video of %s goes on for %.1f"
            .formatted(rows.file(), episode, length, span.getKey(), frames);
      }
    }
    return null;
  }
}
