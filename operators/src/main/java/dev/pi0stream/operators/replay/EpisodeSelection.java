package dev.pi0stream.operators.replay;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What of a dataset is replayed, and how.
 *
 * @param dataset its directory
 * @param episodes their numbers, in the order in which they are read
 * @param from the first step of each episode
 * @param to beyond the last step; may lie beyond the episodes
 * @param stride every how many steps
 * @param cameras the dataset's camera by the policy's, both without {@code observation.images.}
 * @param prompt asked in place of the logged instructions; null for those
 * @param samples how often each step is asked, each time with other noise
 */
public record EpisodeSelection(
    String dataset,
    List<Integer> episodes,
    int from,
    int to,
    int stride,
    Map<String, String> cameras,
    String prompt,
    int samples)
    implements Serializable {
  public EpisodeSelection {
    // Serializable collections, which those of List.copyOf are, too, but in the order given.
    episodes = List.copyOf(episodes);
    cameras = Collections.unmodifiableMap(new LinkedHashMap<>(cameras));
    if (samples < 1) {
      throw new IllegalArgumentException("samples is %d: expected 1 or more".formatted(samples));
    }
  }
}
