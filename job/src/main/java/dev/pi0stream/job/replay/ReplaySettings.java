package dev.pi0stream.job.replay;

import dev.pi0stream.model.checkpoint.RandomWeights;
import dev.pi0stream.operators.policy.EngineSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is replayed.
 *
 * @param source directory of a LeRobot dataset, or of a recording
 * @param engine the policy and its device
 * @param randomWeights the size of weights that are made up in place of the checkpoint's
 * @param seed of the noise
 * @param samples noise samples of each step
 * @param episodes the episodes' numbers; empty for all
 * @param window which of their steps
 * @param cameras the dataset's camera by the policy's, where the names differ
 * @param prompt asked in place of the logged instructions
 * @param checkpointInterval between two checkpoints of the job
 * @param work where the replay keeps what it has; empty for a place that goes with it
 * @param kafka host and port of a broker that gets the answers, too
 */
public record ReplaySettings(
    Path source,
    EngineSpec engine,
    Optional<RandomWeights.Size> randomWeights,
    long seed,
    int samples,
    Optional<List<Integer>> episodes,
    FrameWindow window,
    Map<String, String> cameras,
    Optional<String> prompt,
    Duration checkpointInterval,
    Optional<Path> work,
    Optional<String> kafka) {
  public ReplaySettings {
    episodes = episodes.map(List::copyOf);
    cameras = Collections.unmodifiableMap(new LinkedHashMap<>(cameras));
    if (samples < 1) {
      throw new IllegalArgumentException("samples is %d: expected 1 or more".formatted(samples));
    }
  }

  /** The same with another engine, working elsewhere. */
  public ReplaySettings with(EngineSpec another, Optional<Path> elsewhere) {
    return new ReplaySettings(
        source,
        another,
        randomWeights,
        seed,
        samples,
        episodes,
        window,
        cameras,
        prompt,
        checkpointInterval,
        elsewhere,
        Optional.empty());
  }
}
