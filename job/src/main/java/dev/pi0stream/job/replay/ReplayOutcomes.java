package dev.pi0stream.job.replay;

import dev.pi0stream.operators.replay.StepIdentity;
import dev.pi0stream.schemas.ContainerFile;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.file.DataFileReader;

/** What ended without a chunk, counted. */
final class ReplayOutcomes {
  private final Map<OutcomeKind, Long> counts = new EnumMap<>(OutcomeKind.class);
  private final Map<Integer, Map<OutcomeKind, Long>> ofEpisodes = new HashMap<>();
  private final Map<Integer, String> skipped = new TreeMap<>();
  private final Map<Integer, String> rejections = new TreeMap<>();
  private String firstRejection;

  private ReplayOutcomes() {}

  /**
   * Reads container files.
   *
   * @param steps whether their names are those of a dataset's steps
   */
  static ReplayOutcomes read(List<Path> containers, boolean steps) throws IOException {
    ReplayOutcomes outcomes = new ReplayOutcomes();
    for (Path file : containers) {
      try (DataFileReader<ObservationOutcome> records = ContainerFile.outcomes().open(file)) {
        for (ObservationOutcome outcome : records) {
          outcomes.add(outcome, steps);
        }
      }
    }
    return outcomes;
  }

  private void add(ObservationOutcome outcome, boolean steps) {
    if (!steps) {
      counts.merge(outcome.getKind(), 1L, Long::sum);
      if (outcome.getKind() == OutcomeKind.REJECTED && firstRejection == null) {
        firstRejection = outcome.getReason();
      }
      return;
    }
    int episode = StepIdentity.episode(outcome.getEpisode());
    if (outcome.getSequence() == null) {
      skipped.put(episode, outcome.getReason());
      return;
    }
    ofEpisodes
        .computeIfAbsent(episode, _ -> new EnumMap<>(OutcomeKind.class))
        .merge(outcome.getKind(), 1L, Long::sum);
    rejections.putIfAbsent(episode, outcome.getReason());
  }

  /** Why episodes could not be read to their end, by number. */
  Map<Integer, String> skipped() {
    return skipped;
  }

  /** How many ended in a way, without those of episodes that are skipped. */
  long count(OutcomeKind kind) {
    return counts.getOrDefault(kind, 0L)
        + ofEpisodes.entrySet().stream()
            .filter(episode -> !skipped.containsKey(episode.getKey()))
            .mapToLong(episode -> episode.getValue().getOrDefault(kind, 0L))
            .sum();
  }

  /** The first reason among those that count; null without. */
  String firstRejection() {
    return rejections.entrySet().stream()
        .filter(episode -> !skipped.containsKey(episode.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(firstRejection);
  }
}
