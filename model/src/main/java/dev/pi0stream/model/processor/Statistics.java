package dev.pi0stream.model.processor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.JsonFile;
import dev.pi0stream.model.checkpoint.Normalization;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.model.checkpoint.StoredType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a data set's numbers look like, column by column, from one file of a checkpoint. Where
 * LeRobot leaves values as they are because a statistic is missing, this refuses.
 */
public final class Statistics {
  private static final String OPENPI_FILE = "norm_stats.json";

  private final Path file;
  private final String prefix;
  private final Map<String, double[]> values;

  private Statistics(Path file, String prefix, Map<String, double[]> values) {
    this.file = file;
    this.prefix = prefix;
    this.values = values;
  }

  /**
   * The two statistics of a feature that a mode needs.
   *
   * @param low mean, minimum or lower quantile, by column
   * @param high standard deviation, maximum or upper quantile, by column
   */
  public record Range(double[] low, double[] high) {}

  /**
   * Reads the state of LeRobot's normaliser or unnormaliser: safetensors with keys such as {@code
   * observation.state.mean}, which LeRobot takes as float32.
   *
   * @throws CheckpointException if the file is missing or broken
   */
  public static Statistics ofLeRobot(Path file) {
    try (Safetensors tensors = Safetensors.open(file)) {
      Map<String, double[]> values = new HashMap<>();
      for (StoredTensor tensor : tensors.all()) {
        if (tensor.type() == StoredType.F64 || tensor.type().weightType().isPresent()) {
          double[] columns = tensor.doubles();
          for (int i = 0; i < columns.length; i++) {
            columns[i] = (float) columns[i];
          }
          values.put(tensor.name(), columns);
        }
      }
      return new Statistics(file, "", values);
    }
  }

  /**
   * Reads openpi's {@code norm_stats.json}.
   *
   * @throws CheckpointException if the file is missing or broken
   */
  public static Statistics ofOpenpi(Path file) {
    JsonFile features = JsonFile.read(file).object("norm_stats");
    Map<String, double[]> values = new HashMap<>();
    for (Map.Entry<String, JsonNode> feature : features.node().properties()) {
      JsonFile names = features.object(feature.getKey());
      for (Map.Entry<String, JsonNode> statistic : names.node().properties()) {
        if (names.has(statistic.getKey())) {
          values.put(
              feature.getKey() + "." + statistic.getKey(), numbers(names, statistic.getKey()));
        }
      }
    }
    return new Statistics(file, features.place(), values);
  }

  private static double[] numbers(JsonFile names, String field) {
    JsonNode list = names.node().get(field);
    double[] numbers = new double[list.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!list.get(i).isNumber()) {
        throw names.wrong(field, list, "a list of numbers");
      }
      numbers[i] = list.get(i).doubleValue();
    }
    if (!list.isArray()) {
      throw names.wrong(field, list, "a list of numbers");
    }
    return numbers;
  }

  /**
   * Finds the one {@code norm_stats.json} below {@code assets/} of a checkpoint of openpi.
   *
   * @param asset the robot's name there, such as {@code trossen}; null if there is only one
   * @throws CheckpointException if there is none, or if there are several and no name
   */
  public static Path findOpenpi(Path checkpoint, String asset) {
    Path assets = checkpoint.resolve("assets");
    if (asset != null) {
      return assets.resolve(asset).resolve(OPENPI_FILE);
    }
    List<Path> found;
    try (Stream<Path> paths = Files.isDirectory(assets) ? Files.walk(assets) : Stream.empty()) {
      found = paths.filter(path -> path.endsWith(OPENPI_FILE)).sorted().toList();
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(assets, e.getMessage()), e);
    }
    if (found.isEmpty()) {
      throw new CheckpointException(
          "%s: there are no statistics; expected assets/<asset>/%s"
              .formatted(checkpoint, OPENPI_FILE));
    }
    if (found.size() > 1) {
      throw new CheckpointException(
          "%s: there are statistics of several robots, %s; expected one to be named"
              .formatted(
                  assets,
                  found.stream().map(path -> assets.relativize(path.getParent())).toList()));
    }
    return found.getFirst();
  }

  /** Where these were read. */
  public Path file() {
    return file;
  }

  /** The names of what a mode needs; none for IDENTITY. */
  public static List<String> names(Normalization mode) {
    return switch (mode) {
      case IDENTITY -> List.of();
      case MEAN_STD -> List.of("mean", "std");
      case MIN_MAX -> List.of("min", "max");
      case QUANTILES -> List.of("q01", "q99");
      case QUANTILE10 -> List.of("q10", "q90");
    };
  }

  /**
   * What a mode needs of a feature.
   *
   * @param feature such as {@code observation.state}
   * @param mode not IDENTITY, which needs nothing
   * @throws CheckpointException if a statistic is missing, not finite, negative as a deviation, or
   *     of another length than its fellow
   */
  public Range range(String feature, Normalization mode) {
    List<String> names = names(mode);
    double[] low = get(feature, names.getFirst(), mode);
    double[] high = get(feature, names.getLast(), mode);
    if (low.length != high.length) {
      throw new CheckpointException(
          "%s: '%s%s' has %d numbers and '%s' has %d; expected equally many"
              .formatted(
                  file,
                  prefix,
                  feature + "." + names.getFirst(),
                  low.length,
                  names.getLast(),
                  high.length));
    }
    return new Range(low, high);
  }

  private double[] get(String feature, String name, Normalization mode) {
    String key = feature + "." + name;
    double[] columns = values.get(key);
    if (columns == null) {
      throw new CheckpointException(
          "%s: '%s%s' is missing; %s needs it".formatted(file, prefix, key, mode));
    }
    for (int i = 0; i < columns.length; i++) {
      boolean usable = Double.isFinite(columns[i]) && !(name.equals("std") && columns[i] < 0);
      if (!usable) {
        throw new CheckpointException(
            "%s: number %d of '%s%s' is %s; expected a finite one%s"
                .formatted(file, i, prefix, key, columns[i], name.equals("std") ? " from 0" : ""));
      }
    }
    return columns;
  }
}
