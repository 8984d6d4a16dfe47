package dev.pi0stream.job.replay;

import dev.pi0stream.job.evaluation.LoggedEpisode;
import dev.pi0stream.job.evaluation.LoggedMotion;
import dev.pi0stream.operators.dataset.DatasetException;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.EpisodeReader;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.Step;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was logged in the episodes that are replayed, without their frames: read once to know how
 * the robots move and which episodes cannot be read, and again, one by one, to be compared.
 */
final class DatasetLog {
  private final LeRobotDataset dataset;
  private final List<Episode> episodes;
  private final Map<Integer, String> skipped;
  private final LoggedMotion motion;

  private DatasetLog(
      LeRobotDataset dataset,
      List<Episode> episodes,
      Map<Integer, String> skipped,
      LoggedMotion motion) {
    this.dataset = dataset;
    this.episodes = episodes;
    this.skipped = skipped;
    this.motion = motion;
  }

  /**
   * Reads a log.
   *
   * @param wanted the episodes' numbers; empty for all
   * @throws IllegalArgumentException when the dataset has no episode of such a number
   */
  static DatasetLog read(LeRobotDataset dataset, Optional<List<Integer>> wanted) {
    LoggedMotion.Builder motion =
        new LoggedMotion.Builder(
            dataset.stateNames(), dataset.stateDimensions(), dataset.actionDimensions());
    List<Episode> readable = new ArrayList<>();
    Map<Integer, String> skipped = new LinkedHashMap<>();
    for (Episode episode : chosen(dataset, wanted)) {
      String defect = dataset.defects().get(episode.index());
      if (defect == null) {
        try {
          motion.add(read(dataset, episode));
          readable.add(episode);
        } catch (DatasetException e) {
          defect = e.getMessage();
        }
      }
      if (defect != null) {
        skipped.put(episode.index(), defect);
      }
    }
    return new DatasetLog(dataset, readable, skipped, motion.build());
  }

  private static List<Episode> chosen(LeRobotDataset dataset, Optional<List<Integer>> wanted) {
    if (wanted.isEmpty()) {
      return dataset.episodes();
    }
    List<Episode> chosen = new ArrayList<>();
    for (int number : wanted.get()) {
      chosen.add(
          dataset.episodes().stream()
              .filter(episode -> episode.index() == number)
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "--episodes: %s has no episode %d; it has %d to %d"
                              .formatted(
                                  dataset.root(),
                                  number,
                                  dataset.episodes().getFirst().index(),
                                  dataset.episodes().getLast().index()))));
    }
    return chosen;
  }

  /** The episodes whose rows can be read. */
  List<Episode> episodes() {
    return episodes;
  }

  /** Why the others cannot, by number. */
  Map<Integer, String> skipped() {
    return skipped;
  }

  LoggedMotion motion() {
    return motion;
  }

  /** The rows of an episode. */
  LoggedEpisode read(Episode episode) {
    return read(dataset, episode);
  }

  private static LoggedEpisode read(LeRobotDataset dataset, Episode episode) {
    List<float[]> states = new ArrayList<>();
    List<float[]> actions = new ArrayList<>();
    List<String> tasks = new ArrayList<>();
    try (EpisodeReader steps = dataset.read(episode, List.of())) {
      while (steps.hasNext()) {
        Step step = steps.next();
        dataset.checkStatistics(episode, step);
        states.add(step.state());
        actions.add(step.action());
        tasks.add(step.task());
      }
    }
    return new LoggedEpisode(episode.index(), states, actions, tasks);
  }
}
