package dev.pi0stream.operators.dataset;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Looks whether the episodes of a dataset are whole. */
public final class DatasetCheck {
  private DatasetCheck() {}

  /** How closely is looked. */
  public enum Depth {
    /** Every row, and of every video the first and the last frame of each episode. */
    ENDS,
    /** Every row and every frame. */
    ALL
  }

  /** What is wrong, one sentence by the episode's number; an episode that is whole has none. */
  public static Map<Integer, String> defects(LeRobotDataset dataset, Depth depth) {
    Map<Integer, String> defects = new TreeMap<>(dataset.defects());
    List<String> cameras = colourCameras(dataset);
    for (Episode episode : dataset.episodes()) {
      if (!defects.containsKey(episode.index())) {
        try {
          check(dataset, episode, cameras, depth);
        } catch (DatasetException e) {
          defects.put(episode.index(), e.getMessage());
        }
      }
    }
    return defects;
  }

  private static void check(
      LeRobotDataset dataset, Episode episode, List<String> cameras, Depth depth) {
    int last = episode.length() - 1;
    read(dataset, episode, List.of(), StepRange.ALL);
    if (depth == Depth.ALL) {
      read(dataset, episode, cameras, StepRange.ALL);
    } else {
      read(dataset, episode, cameras, new StepRange(0, 1, 1));
      read(dataset, episode, cameras, new StepRange(last, last + 1, 1));
    }
  }

  private static void read(
      LeRobotDataset dataset, Episode episode, List<String> cameras, StepRange steps) {
    try (EpisodeReader reader = dataset.read(episode, cameras, steps)) {
      while (reader.hasNext()) {
        dataset.checkStatistics(episode, reader.next());
      }
    }
  }

  /** Depth maps are no pictures that a policy is shown. */
  private static List<String> colourCameras(LeRobotDataset dataset) {
    List<String> cameras = new ArrayList<>();
    for (Feature feature : dataset.features().values()) {
      if ((feature.isVideo() || feature.isImage()) && !feature.depth()) {
        cameras.add(LeRobotDataset.cameraName(feature.key()));
      }
    }
    return cameras;
  }
}
