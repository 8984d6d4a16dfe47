package dev.pi0stream.job.replay;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.job.evaluation.EpisodeErrors;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.StepRange;
import dev.pi0stream.operators.dataset.VideoSpan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * A dataset with what a policy predicted as added columns, as a LeRobotDataset v3.0. Rows, frames
 * and tables that were there stay as they are; a dataset of version 2.1 gets the layout of 3.0,
 * each episode in a file of its own.
 *
 * <p>Added are, for noise sample 0: {@code prediction.actions} (the chunk, step after step), {@code
 * prediction.error} (its normalised rms), {@code prediction.latency} (seconds on the device),
 * {@code prediction.outcome} ({@code chunk}, {@code rejected} or {@code not replayed}), {@code
 * prediction.checkpoint} (digest) and {@code prediction.seed}. Where there is no chunk, its numbers
 * are NaN.
 */
final class AnnotatedDataset {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final int FILES_IN_CHUNK = 1000;

  private final LeRobotDataset dataset;
  private final ReplayResult result;
  private final ChunkTable table;
  private final List<Episode> replayed;
  private final StepRange steps;
  private final Path target;

  /**
   * @param replayed the episodes that were
   * @param steps which of their steps
   * @param target a directory that is not there
   */
  AnnotatedDataset(
      LeRobotDataset dataset,
      ReplayResult result,
      ChunkTable table,
      List<Episode> replayed,
      StepRange steps,
      Path target) {
    this.dataset = dataset;
    this.result = result;
    this.table = table;
    this.replayed = replayed;
    this.steps = steps;
    this.target = target;
  }

  /** Writes it. */
  void write() throws IOException, SQLException {
    boolean v3 = dataset.version().equals("v3.0");
    Files.createDirectories(target);
    int numbers = horizon() * dataset.actionDimensions();
    loadErrors();
    Map<Path, Path> tables = new LinkedHashMap<>();
    Map<Path, Path> videos = new LinkedHashMap<>();
    for (Episode episode : dataset.episodes()) {
      tables.put(episode.data(), v3 ? copy(episode.data()) : table(episode.index()));
      for (Map.Entry<String, VideoSpan> video : episode.videos().entrySet()) {
        Path file = video.getValue().file();
        videos.put(file, v3 ? copy(file) : video(video.getKey(), episode.index()));
      }
    }
    for (Map.Entry<Path, Path> file : tables.entrySet()) {
      annotate(file.getKey(), parent(file.getValue()), numbers);
    }
    for (Map.Entry<Path, Path> file : videos.entrySet()) {
      Files.copy(file.getKey(), parent(file.getValue()));
    }
    if (v3) {
      copyMeta();
    } else {
      writeMeta();
    }
    writeInfo(v3, numbers);
  }

  private int horizon() {
    return result.evaluation().error().steps().size();
  }

  private Path copy(Path file) {
    return target.resolve(dataset.root().relativize(file).toString());
  }

  private Path table(int episode) {
    return target.resolve(
        "data/chunk-%03d/file-%03d.parquet"
            .formatted(episode / FILES_IN_CHUNK, episode % FILES_IN_CHUNK));
  }

  private Path video(String key, int episode) {
    return target.resolve(
        "videos/%s/chunk-%03d/file-%03d.mp4"
            .formatted(key, episode / FILES_IN_CHUNK, episode % FILES_IN_CHUNK));
  }

  private static Path parent(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    return file;
  }

  // ------------------------------------------------------------------ rows

  private void loadErrors() throws SQLException {
    execute(
        "CREATE OR REPLACE TABLE errors (episode_index INTEGER, frame_index INTEGER, error FLOAT)");
    try (DuckDBAppender rows =
        table.database().createAppender(DuckDBConnection.DEFAULT_SCHEMA, "errors")) {
      for (EpisodeErrors episode : result.evaluation().episodes()) {
        for (int i = 0; i < episode.frames().length; i++) {
          rows.beginRow()
              .append(episode.episode())
              .append(episode.frames()[i])
              .append(episode.errors()[i])
              .endRow();
        }
      }
    }
  }

  private void annotate(Path source, Path copy, int numbers) throws SQLException {
    String asked =
        "d.episode_index IN (%s) AND d.frame_index >= %d AND d.frame_index < %d AND (d.frame_index - %d) %% %d = 0"
            .formatted(
                replayed.stream()
                    .map(episode -> Integer.toString(episode.index()))
                    .collect(Collectors.joining(", ")),
                steps.from(),
                steps.to(),
                steps.from(),
                steps.stride());
    execute(
        """
        COPY (
          SELECT d.*,
            coalesce(c.actions, list_resize([]::FLOAT[], %d, 'NaN'::FLOAT)) AS "prediction.actions",
            coalesce(e.error, 'NaN'::FLOAT) AS "prediction.error",
            coalesce(((c.vision_micros + c.prefix_micros + c.denoise_micros) / 1e6)::FLOAT,
              'NaN'::FLOAT) AS "prediction.latency",
            CASE WHEN c.actions IS NOT NULL THEN 'chunk' WHEN %s THEN 'rejected'
              ELSE 'not replayed' END AS "prediction.outcome",
            '%s' AS "prediction.checkpoint",
            %d::BIGINT AS "prediction.seed"
          FROM read_parquet(%s) d
          LEFT JOIN (SELECT * FROM replayed WHERE sample = 0) c USING (episode_index, frame_index)
          LEFT JOIN errors e USING (episode_index, frame_index)
          ORDER BY d.index
        ) TO %s (FORMAT parquet, COMPRESSION zstd)"""
            .formatted(
                numbers,
                asked,
                result.policy().digest(),
                result.policy().seed(),
                ChunkTable.quoted(source),
                ChunkTable.quoted(copy)));
  }

  // ------------------------------------------------------------------ metadata

  private void copyMeta() throws IOException {
    Path meta = dataset.root().resolve("meta");
    try (Stream<Path> files = Files.walk(meta)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.equals(meta.resolve("info.json"))) {
          Files.copy(file, parent(copy(file)));
        }
      }
    }
  }

  /** The tables of version 3.0 for a dataset that has lines of JSON. */
  private void writeMeta() throws IOException, SQLException {
    execute("CREATE OR REPLACE TABLE tasks (task_index BIGINT, task VARCHAR)");
    try (DuckDBAppender rows =
        table.database().createAppender(DuckDBConnection.DEFAULT_SCHEMA, "tasks")) {
      for (Map.Entry<Long, String> task : dataset.tasks().entrySet()) {
        rows.beginRow().append(task.getKey()).append(task.getValue()).endRow();
      }
    }
    // LeRobot looks tasks up in the index of a pandas table; this is how pandas notes one.
    ObjectNode metadata = JSON.createObjectNode();
    metadata.set("index_columns", JSON.createArrayNode().add("task"));
    metadata.set("column_indexes", JSON.createArrayNode());
    ArrayNode columns = metadata.putArray("columns");
    columns.add(pandasColumn("task_index", "int64"));
    columns.add(pandasColumn("task", "unicode"));
    execute(
        "COPY (SELECT * FROM tasks ORDER BY task_index) TO %s (FORMAT parquet, KV_METADATA {pandas: '%s'})"
            .formatted(
                ChunkTable.quoted(parent(target.resolve("meta/tasks.parquet"))),
                metadata.toString().replace("'", "''")));
    writeEpisodes();
  }

  private static ObjectNode pandasColumn(String name, String type) {
    return JSON.createObjectNode()
        .put("name", name)
        .put("field_name", name)
        .put("pandas_type", type)
        .put("numpy_type", type.equals("unicode") ? "object" : type)
        .putNull("metadata");
  }

  private void writeEpisodes() throws IOException, SQLException {
    List<String> keys = List.copyOf(dataset.episodes().getFirst().videos().keySet());
    String videos =
        keys.stream()
            .map(
                key ->
                    ", \"videos/%1$s/chunk_index\" BIGINT, \"videos/%1$s/file_index\" BIGINT, \"videos/%1$s/from_timestamp\" DOUBLE, \"videos/%1$s/to_timestamp\" DOUBLE"
                        .formatted(key))
            .collect(Collectors.joining());
    execute(
        """
        CREATE OR REPLACE TABLE episodes (episode_index BIGINT, tasks VARCHAR[], length BIGINT,
          "data/chunk_index" BIGINT, "data/file_index" BIGINT, dataset_from_index BIGINT,
          dataset_to_index BIGINT, "meta/episodes/chunk_index" BIGINT,
          "meta/episodes/file_index" BIGINT"""
            + videos
            + ")");
    try (DuckDBAppender rows =
        table.database().createAppender(DuckDBConnection.DEFAULT_SCHEMA, "episodes")) {
      for (Episode episode : dataset.episodes()) {
        long chunk = episode.index() / FILES_IN_CHUNK;
        long file = episode.index() % FILES_IN_CHUNK;
        rows.beginRow()
            .append((long) episode.index())
            .append(episode.tasks())
            .append((long) episode.length())
            .append(chunk)
            .append(file)
            .append(episode.firstIndex())
            .append(episode.firstIndex() + episode.length())
            .append(0L)
            .append(0L);
        for (String key : keys) {
          VideoSpan span = episode.videos().get(key);
          rows.append(chunk).append(file).append(span.from()).append(span.to());
        }
        rows.endRow();
      }
    }
    execute(
        "COPY (SELECT * FROM episodes ORDER BY episode_index) TO %s (FORMAT parquet)"
            .formatted(
                ChunkTable.quoted(
                    parent(target.resolve("meta/episodes/chunk-000/file-000.parquet")))));
  }

  private void writeInfo(boolean v3, int numbers) throws IOException {
    ObjectNode info = (ObjectNode) JSON.readTree(dataset.root().resolve("meta/info.json").toFile());
    if (!v3) {
      info.put("codebase_version", "v3.0");
      info.put("chunks_size", FILES_IN_CHUNK);
      info.put("data_files_size_in_mb", 100);
      info.put("video_files_size_in_mb", 200);
      info.put("data_path", "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet");
      info.put(
          "video_path", "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4");
      info.remove(List.of("total_chunks", "total_videos"));
    }
    ObjectNode features = (ObjectNode) info.get("features");
    ArrayNode names = feature(features, "prediction.actions", "float32", numbers).putArray("names");
    for (int k = 0; k < horizon(); k++) {
      for (String name : result.evaluation().error().dimensions().keySet()) {
        names.add(k + "." + name);
      }
    }
    feature(features, "prediction.error", "float32", 1).putNull("names");
    feature(features, "prediction.latency", "float32", 1).putNull("names");
    feature(features, "prediction.outcome", "string", 1).putNull("names");
    feature(features, "prediction.checkpoint", "string", 1).putNull("names");
    feature(features, "prediction.seed", "int64", 1).putNull("names");
    Files.writeString(parent(target.resolve("meta/info.json")), JSON.writeValueAsString(info));
  }

  private static ObjectNode feature(ObjectNode features, String key, String dtype, int size) {
    ObjectNode feature = features.putObject(key).put("dtype", dtype);
    feature.putArray("shape").add(size);
    return feature;
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = table.database().createStatement()) {
      statement.execute(sql);
    }
  }
}
