package dev.pi0stream.operators.dataset;

import java.nio.file.Path;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Struct;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBDriver;

/** Parquet files, read through an embedded DuckDB that touches neither network nor home. */
final class Parquet implements AutoCloseable {
  private final DuckDBConnection database;

  Parquet() {
    Properties settings = new Properties();
    settings.setProperty(DuckDBDriver.JDBC_STREAM_RESULTS, "true");
    settings.setProperty("threads", "1");
    settings.setProperty("autoinstall_known_extensions", "false");
    settings.setProperty("autoload_known_extensions", "false");
    try {
      database =
          new DuckDBDriver().connect("jdbc:duckdb:", settings).unwrap(DuckDBConnection.class);
    } catch (SQLException e) {
      throw new DatasetException("DuckDB does not start: " + firstLine(e), e);
    }
  }

  /** The names of a file's columns. */
  Set<String> columns(Path file) {
    try (Connection connection = connect();
        PreparedStatement statement =
            connection.prepareStatement("SELECT * FROM read_parquet(?) LIMIT 0")) {
      statement.setString(1, literal(file));
      try (ResultSet result = statement.executeQuery()) {
        ResultSetMetaData meta = result.getMetaData();
        Set<String> names = new LinkedHashSet<>();
        for (int i = 1; i <= meta.getColumnCount(); i++) {
          names.add(meta.getColumnName(i));
        }
        return names;
      }
    } catch (SQLException e) {
      throw unreadable(file, e);
    }
  }

  /**
   * The columns of all rows, in the file's order.
   *
   * @throws DatasetException also when a column is not there
   */
  Rows rows(Path file, List<String> columns) {
    return rows(file, columns, Map.of(), Map.of());
  }

  /**
   * The columns of some rows, in the file's order.
   *
   * @param equal numbers that columns have in these rows
   * @param least numbers that columns have in these rows, or greater ones
   */
  Rows rows(Path file, List<String> columns, Map<String, Long> equal, Map<String, Long> least) {
    Set<String> present = columns(file);
    for (String column : columns) {
      if (!present.contains(column)) {
        throw new DatasetException("%s has no column %s".formatted(file, column));
      }
    }
    String condition =
        Stream.concat(
                equal.entrySet().stream().map(e -> quoted(e.getKey()) + " = " + e.getValue()),
                least.entrySet().stream().map(e -> quoted(e.getKey()) + " >= " + e.getValue()))
            .collect(Collectors.joining(" AND "));
    String query =
        columns.stream().map(Parquet::quoted).collect(Collectors.joining(", ", "SELECT ", ""))
            + " FROM read_parquet(?)"
            + (condition.isEmpty() ? "" : " WHERE " + condition);
    Connection connection = null;
    try {
      connection = connect();
      PreparedStatement statement = connection.prepareStatement(query);
      statement.setString(1, literal(file));
      return new Rows(file, connection, statement.executeQuery());
    } catch (SQLException e) {
      DatasetException failure = unreadable(file, e);
      close(connection, failure);
      throw failure;
    }
  }

  @Override
  public void close() {
    try {
      database.close();
    } catch (SQLException e) {
      throw new DatasetException("DuckDB does not stop: " + firstLine(e), e);
    }
  }

  private synchronized Connection connect() throws SQLException {
    return database.duplicate();
  }

  private static void close(Connection connection, DatasetException failure) {
    if (connection != null) {
      try {
        connection.close();
      } catch (SQLException e) {
        failure.addSuppressed(e);
      }
    }
  }

  /** A path as DuckDB takes it: its glob characters stand for themselves. */
  private static String literal(Path file) {
    return file.toString().replaceAll("([*?\\[])", "[$1]");
  }

  private static String quoted(String column) {
    return '"' + column.replace("\"", "\"\"") + '"';
  }

  private static DatasetException unreadable(Path file, SQLException e) {
    return new DatasetException("%s cannot be read: %s".formatted(file, firstLine(e)), e);
  }

  private static String firstLine(SQLException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
  }

  /** Rows of one file, one after the other. Columns count from 1, in the order asked for. */
  static final class Rows implements AutoCloseable {
    private final Path file;
    private final Connection connection;
    private final ResultSet result;

    private Rows(Path file, Connection connection, ResultSet result) {
      this.file = file;
      this.connection = connection;
      this.result = result;
    }

    Path file() {
      return file;
    }

    /** Goes to the next row; false after the last. */
    boolean next() {
      return get(ResultSet::next);
    }

    long integer(int column) {
      Number number = number(column);
      if (number.longValue() != number.doubleValue()) {
        throw unexpected(column, "a whole number");
      }
      return number.longValue();
    }

    double real(int column) {
      return number(column).doubleValue();
    }

    String text(int column) {
      if (get(r -> r.getObject(column)) instanceof String text) {
        return text;
      }
      throw unexpected(column, "a text");
    }

    /** A list of numbers, or one number alone. */
    float[] floats(int column) {
      Object value = get(r -> r.getObject(column));
      Object[] elements = value instanceof Array array ? elements(array) : new Object[] {value};
      float[] values = new float[elements.length];
      for (int i = 0; i < values.length; i++) {
        if (!(elements[i] instanceof Number number)) {
          throw unexpected(column, "a list of numbers");
        }
        values[i] = number.floatValue();
      }
      return values;
    }

    /** A list of texts. */
    List<String> texts(int column) {
      if (get(r -> r.getObject(column)) instanceof Array array) {
        return Stream.of(elements(array)).map(String::valueOf).toList();
      }
      throw unexpected(column, "a list of texts");
    }

    /** The {@code bytes} of an image, which is a structure of bytes and path. */
    byte[] imageBytes(int column) {
      if (get(r -> r.getObject(column)) instanceof Struct image) {
        Object[] attributes = get(r -> image.getAttributes());
        if (attributes.length > 0 && attributes[0] instanceof Blob bytes) {
          return get(r -> bytes.getBytes(1, Math.toIntExact(bytes.length())));
        }
      }
      throw unexpected(column, "an image with its bytes");
    }

    @Override
    public void close() {
      try (connection;
          result) {
        // Closing is all there is to do.
      } catch (SQLException e) {
        throw unreadable(file, e);
      }
    }

    private Number number(int column) {
      if (get(r -> r.getObject(column)) instanceof Number number) {
        return number;
      }
      throw unexpected(column, "a number");
    }

    private Object[] elements(Array array) {
      return (Object[]) get(r -> array.getArray());
    }

    private DatasetException unexpected(int column, String expected) {
      return new DatasetException(
          "%s: column %s has %s, but %s was expected"
              .formatted(
                  file,
                  get(r -> r.getMetaData().getColumnName(column)),
                  get(r -> r.getObject(column)),
                  expected));
    }

    private <T> T get(Access<T> access) {
      try {
        return access.from(result);
      } catch (SQLException e) {
        throw unreadable(file, e);
      }
    }

    @FunctionalInterface
    private interface Access<T> {
      T from(ResultSet result) throws SQLException;
    }
  }
}
