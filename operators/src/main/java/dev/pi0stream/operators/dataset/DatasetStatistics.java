package dev.pi0stream.operators.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The statistics of states and actions that a dataset states of itself. They have to fit its
 * features and, where rows were read, the rows: a policy that is trained or judged with statistics
 * of something else fails without a word.
 *
 * @param file where they are
 */
record DatasetStatistics(Path file, Map<String, Range> ranges) {
  /** How far logged numbers may lie outside their range, in proportion to it: rounding. */
  private static final double SLACK = 1e-3;

  private static final List<String> KINDS = List.of("min", "max", "mean", "std");

  /** Between what a feature's numbers are said to lie. */
  record Range(double[] min, double[] max) {}

  /**
   * Reads those of states and actions.
   *
   * @param json statistics by feature
   * @throws DatasetException when they do not fit the features
   */
  static DatasetStatistics read(Path file, JsonNode json, DatasetInfo info) {
    Map<String, Range> ranges = new HashMap<>();
    for (String key : List.of(LeRobotDataset.STATE, LeRobotDataset.ACTION)) {
      if (json.has(key)) {
        ranges.put(key, range(file, info.features().get(key), json.get(key)));
      }
    }
    return new DatasetStatistics(file, ranges);
  }

  private static Range range(Path file, Feature feature, JsonNode json) {
    Map<String, double[]> values = new HashMap<>();
    for (String kind : KINDS) {
      values.put(kind, numbers(file, feature, kind, json.path(kind)));
    }
    double[] min = values.get("min");
    double[] max = values.get("max");
    for (int d = 0; d < min.length; d++) {
      double slack = SLACK * Math.max(Math.abs(max[d] - min[d]), Float.MIN_NORMAL);
      double mean = values.get("mean")[d];
      if (!(min[d] <= max[d]) || !(mean >= min[d] - slack && mean <= max[d] + slack)) {
        throw new DatasetException(
            "%s: number %d of %s has min %s, mean %s and max %s, which are not in this order"
                .formatted(file, d, feature.key(), min[d], mean, max[d]));
      }
      if (values.get("std")[d] < 0) {
        throw new DatasetException(
            "%s: number %d of %s has std %s, but 0 or more was expected"
                .formatted(file, d, feature.key(), values.get("std")[d]));
      }
    }
    return new Range(min, max);
  }

  private static double[] numbers(Path file, Feature feature, String kind, JsonNode json) {
    int size = json.isArray() ? json.size() : json.isNumber() ? 1 : 0;
    if (size != feature.size()) {
      throw new DatasetException(
          "%s: the %s of %s has %d numbers, but info.json says %d"
              .formatted(file, kind, feature.key(), size, feature.size()));
    }
    double[] numbers = new double[size];
    for (int d = 0; d < size; d++) {
      JsonNode number = json.isArray() ? json.get(d) : json;
      if (!number.isNumber() || !Double.isFinite(number.doubleValue())) {
        throw new DatasetException(
            "%s: the %s of %s has %s, but finite numbers were expected"
                .formatted(file, kind, feature.key(), number));
      }
      numbers[d] = number.doubleValue();
    }
    return numbers;
  }

  /**
   * Checks a logged row.
   *
   * @throws DatasetException when it lies outside of what is stated
   */
  void check(Episode episode, Step step) {
    check(episode, step.frameIndex(), LeRobotDataset.STATE, step.state());
    check(episode, step.frameIndex(), LeRobotDataset.ACTION, step.action());
  }

  private void check(Episode episode, int frame, String key, float[] values) {
    Range range = ranges.get(key);
    if (range == null) {
      return;
    }
    for (int d = 0; d < values.length; d++) {
      double slack =
          SLACK * (range.max[d] - range.min[d]) + Math.ulp((float) Math.abs(range.max[d]));
      if (values[d] < range.min[d] - slack || values[d] > range.max[d] + slack) {
        throw new DatasetException(
            "%s: number %d of %s lies in %s to %s, but frame %d of %s has %s"
                .formatted(file, d, key, range.min[d], range.max[d], frame, episode, values[d]));
      }
    }
  }
}
