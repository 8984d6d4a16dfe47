package dev.pi0stream.operators.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code meta/info.json} says.
 *
 * @param chunkSize how many episodes (v2.1) or files (v3.0) share a numbered folder
 * @param features by key, in the file's order
 * @param videoPath null where the dataset has no video
 */
record DatasetInfo(
    Version version,
    double fps,
    int chunkSize,
    int totalEpisodes,
    long totalFrames,
    Map<String, Feature> features,
    PathTemplate dataPath,
    PathTemplate videoPath) {
  private static final int USUAL_CHUNK_SIZE = 1000;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The layouts that are read. */
  enum Version {
    /** Many episodes in a file; the episodes' table says where each one is. */
    V3_0("v3.0"),
    /** A table and a video of each camera for every episode. */
    V2_1("v2.1");

    private final String label;

    Version(String label) {
      this.label = label;
    }

    /** As {@code codebase_version} has it. */
    String label() {
      return label;
    }
  }

  static DatasetInfo read(Path root) {
    Path file = root.resolve("meta").resolve("info.json");
    JsonNode json = parse(file);
    Version version = version(file, text(file, json, "codebase_version"));
    JsonNode fps = json.path("fps");
    if (!fps.isNumber() || !(fps.doubleValue() > 0) || !Double.isFinite(fps.doubleValue())) {
      throw new DatasetException(
          "%s: fps is %s, but a positive number was expected".formatted(file, found(fps)));
    }
    Map<String, Feature> features = features(file, json.path("features"));
    boolean video = features.values().stream().anyMatch(Feature::isVideo);
    return new DatasetInfo(
        version,
        fps.doubleValue(),
        chunkSize(file, json),
        Math.toIntExact(count(file, json, "total_episodes")),
        count(file, json, "total_frames"),
        features,
        new PathTemplate(root, "data_path", text(file, json, "data_path")),
        video ? new PathTemplate(root, "video_path", text(file, json, "video_path")) : null);
  }

  private static Version version(Path file, String label) {
    for (Version version : Version.values()) {
      if (version.label().equals(label)) {
        return version;
      }
    }
    throw new DatasetException(
        "%s: the dataset is of LeRobotDataset version %s; v3.0 and v2.1 are read"
            .formatted(file, label));
  }

  private static int chunkSize(Path file, JsonNode json) {
    if (!json.has("chunks_size")) {
      return USUAL_CHUNK_SIZE;
    }
    long size = count(file, json, "chunks_size");
    if (size < 1 || size > Integer.MAX_VALUE) {
      throw new DatasetException(
          "%s: chunks_size is %d, but a positive number was expected".formatted(file, size));
    }
    return (int) size;
  }

  /** A JSON object in a file of the dataset. */
  static JsonNode parse(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new DatasetException(file + " is not there, but a LeRobot dataset's directory has one");
    }
    try {
      JsonNode json = JSON.readTree(Files.readAllBytes(file));
      if (!json.isObject()) {
        throw new DatasetException(file + " is not a JSON object");
      }
      return json;
    } catch (IOException e) {
      throw new DatasetException(
          "%s cannot be read as JSON: %s"
              .formatted(file, e.getMessage().lines().findFirst().orElse("")),
          e);
    }
  }

  private static Map<String, Feature> features(Path file, JsonNode json) {
    if (!json.isObject()) {
      throw new DatasetException(
          "%s: features is %s, but an object was expected".formatted(file, found(json)));
    }
    Map<String, Feature> features = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      features.put(entry.getKey(), feature(file, entry.getKey(), entry.getValue()));
    }
    return Collections.unmodifiableMap(features);
  }

  private static Feature feature(Path file, String key, JsonNode json) {
    List<Integer> shape = new ArrayList<>();
    for (JsonNode size : json.path("shape")) {
      if (!size.canConvertToInt() || size.intValue() < 0) {
        throw new DatasetException(
            "%s: the shape of feature %s has %s, but whole numbers were expected"
                .formatted(file, key, found(size)));
      }
      shape.add(size.intValue());
    }
    JsonNode dtype = json.path("dtype");
    if (!dtype.isTextual()) {
      throw new DatasetException(
          "%s: the dtype of feature %s is %s, but a text was expected"
              .formatted(file, key, found(dtype)));
    }
    boolean depth =
        json.path("info").path("is_depth_map").asBoolean(false)
            || json.path("info").path("video.is_depth_map").asBoolean(false);
    return new Feature(key, dtype.textValue(), shape, names(json.path("names")), depth);
  }

  /** Names are a list or, for motors, one list under a key such as {@code motors}. */
  private static List<String> names(JsonNode json) {
    JsonNode list = json.isObject() && json.size() == 1 ? json.iterator().next() : json;
    List<String> names = new ArrayList<>();
    if (list.isArray()) {
      list.forEach(name -> names.add(name.asText()));
    }
    return names;
  }

  static String text(Path file, JsonNode json, String field) {
    JsonNode value = json.path(field);
    if (!value.isTextual()) {
      throw new DatasetException(
          "%s: %s is %s, but a text was expected".formatted(file, field, found(value)));
    }
    return value.textValue();
  }

  static long count(Path file, JsonNode json, String field) {
    JsonNode value = json.path(field);
    if (!value.canConvertToLong() || !value.isIntegralNumber() || value.longValue() < 0) {
      throw new DatasetException(
          "%s: %s is %s, but a count was expected".formatted(file, field, found(value)));
    }
    return value.longValue();
  }

  private static String found(JsonNode value) {
    return value.isMissingNode() ? "missing" : value.toString();
  }
}
