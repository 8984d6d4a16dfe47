package dev.pi0stream.operators.dataset;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** One logged episode of a dataset; {@link LeRobotDataset#read} gives its steps. */
public final class Episode {
  private final int index;
  private final long firstIndex;
  private final int length;
  private final List<String> tasks;
  private final Path data;
  private final Map<String, VideoSpan> videos;

  Episode(
      int index,
      long firstIndex,
      int length,
      List<String> tasks,
      Path data,
      Map<String, VideoSpan> videos) {
    this.index = index;
    this.firstIndex = firstIndex;
    this.length = length;
    this.tasks = List.copyOf(tasks);
    this.data = data;
    this.videos = Map.copyOf(videos);
  }

  /** Its number in the dataset. */
  public int index() {
    return index;
  }

  /** The number that its first step has in the dataset. */
  public long firstIndex() {
    return firstIndex;
  }

  /** How many steps it has. */
  public int length() {
    return length;
  }

  /** The instructions that occur in it. */
  public List<String> tasks() {
    return tasks;
  }

  /** The table that holds its rows, in v3.0 among those of other episodes. */
  public Path data() {
    return data;
  }

  /** Where its camera frames are, by the key of the camera's feature; only those in videos. */
  public Map<String, VideoSpan> videos() {
    return videos;
  }

  @Override
  public String toString() {
    return "episode " + index;
  }
}
