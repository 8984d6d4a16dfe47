package dev.pi0stream.job.replay;

import dev.pi0stream.job.evaluation.Prediction;
import dev.pi0stream.operators.replay.StepIdentity;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ContainerFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Array;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.file.DataFileReader;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBDriver;

/** Chunks in a database file, however many they are: to be looked up by episode and compared. */
final class ChunkTable implements AutoCloseable {
  private static final double SECONDS_PER_MICRO = 1e-6;
  private static final String COLUMNS =
      """
      robot VARCHAR, episode VARCHAR, sequence BIGINT, episode_index INTEGER, frame_index INTEGER,
      sample INTEGER, horizon INTEGER, action_dimensions INTEGER, actions FLOAT[],
      checkpoint VARCHAR, device VARCHAR, batch_size INTEGER, queue_micros BIGINT,
      vision_micros BIGINT, prefix_micros BIGINT, denoise_micros BIGINT""";

  private final DuckDBConnection database;

  private ChunkTable(DuckDBConnection database) {
    this.database = database;
  }

  /** What a set of chunks is for. */
  enum Set {
    /** What this replay computed. */
    REPLAYED,
    /** What the other policy or precision computed. */
    OTHER,
    /** What a live job computed. */
    LIVE;

    private String table() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** An empty table in a file, which is written anew. */
  static ChunkTable create(Path file) throws SQLException, IOException {
    Files.deleteIfExists(file);
    Properties settings = new Properties();
    settings.setProperty(DuckDBDriver.JDBC_STREAM_RESULTS, "true");
    settings.setProperty("threads", "1");
    settings.setProperty("memory_limit", "1GB");
    settings.setProperty("autoinstall_known_extensions", "false");
    settings.setProperty("autoload_known_extensions", "false");
    DuckDBConnection database =
        new DuckDBDriver().connect("jdbc:duckdb:" + file, settings).unwrap(DuckDBConnection.class);
    try (Statement statement = database.createStatement()) {
      for (Set set : Set.values()) {
        statement.execute("CREATE TABLE " + set.table() + " (" + COLUMNS + ")");
      }
      return new ChunkTable(database);
    } catch (SQLException e) {
      database.close();
      throw e;
    }
  }

  /**
   * Takes the chunks of container files.
   *
   * @param steps whether their names are those of a dataset's steps
   * @throws IllegalArgumentException when a file is no such container
   */
  void load(Set set, List<Path> containers, boolean steps) throws SQLException {
    try (DuckDBAppender rows =
        database.createAppender(DuckDBConnection.DEFAULT_SCHEMA, set.table())) {
      for (Path file : containers) {
        try (DataFileReader<ActionChunk> chunks = ContainerFile.chunks().open(file)) {
          for (ActionChunk chunk : chunks) {
            append(rows, chunk, steps);
          }
        } catch (IOException | AvroRuntimeException e) {
          throw new IllegalArgumentException(
              "%s cannot be read as an Avro container file of chunks: %s"
                  .formatted(file, e.getMessage()),
              e);
        }
      }
    }
  }

  private static void append(DuckDBAppender rows, ActionChunk chunk, boolean steps)
      throws SQLException {
    float[] actions = new float[chunk.getActions().size()];
    for (int i = 0; i < actions.length; i++) {
      actions[i] = chunk.getActions().get(i);
    }
    rows.beginRow().append(chunk.getRobot()).append(chunk.getEpisode()).append(chunk.getSequence());
    if (steps) {
      StepIdentity step =
          StepIdentity.of(chunk.getRobot(), chunk.getEpisode(), chunk.getSequence());
      rows.append(step.episode()).append(step.frame()).append(step.sample());
    } else {
      rows.appendNull().appendNull().appendNull();
    }
    rows.append(chunk.getHorizon())
        .append(chunk.getActionDimensions())
        .append(actions)
        .append(chunk.getCheckpoint())
        .append(chunk.getDevice())
        .append(chunk.getBatchSize())
        .append(chunk.getQueueMicros())
        .append(chunk.getVisionMicros())
        .append(chunk.getPrefixMicros())
        .append(chunk.getDenoiseMicros())
        .endRow();
  }

  /** Drops the chunks of an episode that is not whole. */
  void drop(int episode) throws SQLException {
    try (Statement statement = database.createStatement()) {
      for (Set set : Set.values()) {
        statement.execute(
            "DELETE FROM %s WHERE episode_index = %d".formatted(set.table(), episode));
      }
    }
  }

  /** How many there are. */
  long count(Set set) throws SQLException {
    return number("SELECT count(*) FROM " + set.table());
  }

  /** How many have an identity that another one has, too. */
  long repeated(Set set) throws SQLException {
    return number(
        "SELECT count(*) - count(DISTINCT (robot, episode, sequence)) FROM " + set.table());
  }

  /** How long the device was busy with them: each batch once. */
  double deviceSeconds(Set set) throws SQLException {
    return SECONDS_PER_MICRO
        * number(
            "SELECT coalesce(sum((vision_micros + prefix_micros + denoise_micros) / batch_size), 0)"
                + "::BIGINT FROM "
                + set.table());
  }

  /** The chunks of a dataset's episode, by frame and sample. */
  List<Prediction> predictions(Set set, int episode) throws SQLException {
    List<Prediction> predictions = new ArrayList<>();
    try (PreparedStatement statement =
        database.prepareStatement(
            """
            SELECT frame_index, sample, horizon, action_dimensions, actions,
              vision_micros + prefix_micros + denoise_micros, batch_size
            FROM %s WHERE episode_index = ? ORDER BY frame_index, sample"""
                .formatted(set.table()))) {
      statement.setInt(1, episode);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          predictions.add(
              new Prediction(
                  row.getInt(1),
                  row.getInt(2),
                  row.getInt(3),
                  row.getInt(4),
                  floats(row.getArray(5)),
                  row.getLong(6) * SECONDS_PER_MICRO,
                  row.getInt(7)));
        }
      }
    }
    return predictions;
  }

  /** Compares what was replayed with another set, by identity. */
  ChunkDifference difference(Set other) throws SQLException {
    ChunkDifference.Sum sum = new ChunkDifference.Sum();
    try (Statement statement = database.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                SELECT a.actions, b.actions FROM replayed a
                JOIN (SELECT DISTINCT ON (robot, episode, sequence) * FROM %s) b
                USING (robot, episode, sequence)"""
                    .formatted(other.table()))) {
      while (row.next()) {
        sum.add(floats(row.getArray(1)), floats(row.getArray(2)));
      }
    }
    String without = "SELECT count(*) FROM %s ANTI JOIN %s USING (robot, episode, sequence)";
    return sum.difference(
        number(without.formatted("replayed", other.table())),
        number(without.formatted(other.table(), "replayed")));
  }

  /** Writes what was replayed to a Parquet file, in the log's order. */
  void export(Path parquet) throws SQLException {
    execute(
        """
        COPY (SELECT * FROM replayed ORDER BY episode_index, robot, episode, sequence)
        TO %s (FORMAT parquet, COMPRESSION zstd)"""
            .formatted(quoted(parquet)));
  }

  /** The database, for those who join its tables with others. */
  DuckDBConnection database() {
    return database;
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = database.createStatement()) {
      statement.execute(sql);
    }
  }

  private long number(String query) throws SQLException {
    try (Statement statement = database.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static float[] floats(Array array) throws SQLException {
    Object[] elements = (Object[]) array.getArray();
    float[] values = new float[elements.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (Float) elements[i];
    }
    return values;
  }

  /** A path as a text of SQL. */
  static String quoted(Path file) {
    return "'" + file.toString().replace("'", "''") + "'";
  }

  @Override
  public void close() throws SQLException {
    database.close();
  }
}
