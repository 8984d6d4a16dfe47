package dev.pi0stream.operators.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The episodes of a dataset of version 2.1, whose metadata are lines of JSON: {@code
 * meta/episodes.jsonl}, {@code meta/tasks.jsonl} and {@code meta/episodes_stats.jsonl}. Every
 * episode has a table and, for each camera, a video of its own.
 */
record EpisodeLines(Path root, DatasetInfo info) implements EpisodeList {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String EPISODE_INDEX = "episode_index";

  @Override
  public void read(EpisodeSink episodes) {
    Path file = meta("episodes.jsonl");
    Map<Long, String> statistics = statisticsDefects();
    long first = 0;
    for (JsonNode line : lines(file)) {
      Episode episode = episode(file, line, first);
      episodes.add(
          episode,
          episode.length() <= 0
              ? "%s: %s has %d frames".formatted(file, episode, episode.length())
              : statistics.get((long) episode.index()));
      first += episode.length();
    }
  }

  @Override
  public Path tasksFile() {
    return meta("tasks.jsonl");
  }

  @Override
  public Map<Long, String> tasks() {
    Map<Long, String> tasks = new HashMap<>();
    for (JsonNode line : lines(tasksFile())) {
      tasks.put(
          DatasetInfo.count(tasksFile(), line, "task_index"),
          DatasetInfo.text(tasksFile(), line, "task"));
    }
    return Map.copyOf(tasks);
  }

  private Episode episode(Path file, JsonNode line, long first) {
    long index = DatasetInfo.count(file, line, EPISODE_INDEX);
    long length = DatasetInfo.count(file, line, "length");
    Map<String, Object> place = new HashMap<>();
    place.put("episode_chunk", index / info.chunkSize());
    place.put(EPISODE_INDEX, index);
    Map<String, VideoSpan> videos = new HashMap<>();
    for (Feature feature : info.features().values()) {
      if (feature.isVideo()) {
        place.put("video_key", feature.key());
        videos.put(
            feature.key(), new VideoSpan(info.videoPath().resolve(place), 0, length / info.fps()));
      }
    }
    List<String> tasks = new ArrayList<>();
    line.path("tasks").forEach(task -> tasks.add(task.asText()));
    return new Episode(
        Math.toIntExact(index),
        first,
        Math.toIntExact(length),
        tasks,
        info.dataPath().resolve(place),
        videos);
  }

  /** What is wrong with the statistics of episodes, by episode; a dataset may have none. */
  private Map<Long, String> statisticsDefects() {
    Path file = meta("episodes_stats.jsonl");
    Map<Long, String> defects = new HashMap<>();
    if (Files.isRegularFile(file)) {
      for (JsonNode line : lines(file)) {
        long index = DatasetInfo.count(file, line, EPISODE_INDEX);
        try {
          DatasetStatistics.read(file, line.path("stats"), info);
        } catch (DatasetException e) {
          defects.put(index, "%s (episode %d)".formatted(e.getMessage(), index));
        }
      }
    }
    return defects;
  }

  private Path meta(String name) {
    return root.resolve("meta").resolve(name);
  }

  private static List<JsonNode> lines(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new DatasetException(file + " is not there, but a LeRobot dataset has one");
    }
    List<JsonNode> lines = new ArrayList<>();
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      int number = 0;
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        number++;
        if (!text.isBlank()) {
          lines.add(line(file, number, text));
        }
      }
    } catch (IOException e) {
      throw new DatasetException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
    return lines;
  }

  private static JsonNode line(Path file, int number, String text) throws IOException {
    JsonNode json;
    try {
      json = JSON.readTree(text);
    } catch (IOException e) {
      throw new DatasetException(
          "%s: line %d cannot be read as JSON: %s"
              .formatted(file, number, e.getMessage().lines().findFirst().orElse("")),
          e);
    }
    if (!json.isObject()) {
      throw new DatasetException("%s: line %d is not a JSON object".formatted(file, number));
    }
    return json;
  }
}
