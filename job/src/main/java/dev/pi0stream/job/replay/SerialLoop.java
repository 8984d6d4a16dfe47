package dev.pi0stream.job.replay;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.job.run.CameraMapping;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.EpisodeReader;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.Step;
import dev.pi0stream.operators.dataset.StepRange;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.operators.policy.PolicyLoader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a replay is measured against: the loop that evaluates a policy without it. A step is read
 * and decoded, its observation is prepared and computed, alone, and then comes the next one; as in
 * LeRobot's {@code select_action} in a loop over a dataset.
 */
final class SerialLoop implements AutoCloseable {
  private static final double NANOS_PER_SECOND = 1e9;

  private final ReplaySettings settings;
  private final AskedPolicy asked;
  private final LoadedPolicy loaded;

  /** A loop over what the settings name, with the policy on a device of its own. */
  SerialLoop(ReplaySettings settings, PolicyLoader loader) throws Exception {
    this.settings = settings;
    asked = AskedPolicy.of(settings);
    loaded = loader.load(settings.engine());
  }

  /**
   * Goes through all steps once.
   *
   * @return chunks a second
   */
  double run() {
    try (LeRobotDataset dataset = LeRobotDataset.open(settings.source())) {
      CameraMapping cameras =
          CameraMapping.of(
              asked.processor().cameras(),
              dataset.cameras(),
              settings.cameras(),
              asked.processor()::camera);
      StepRange range = settings.window().steps(dataset.fps());
      Optional<List<Integer>> wanted = settings.episodes();
      long chunks = 0;
      long begun = System.nanoTime();
      for (Episode episode : dataset.episodes()) {
        if ((wanted.isEmpty() || wanted.get().contains(episode.index()))
            && range.count(episode.length()) > 0) {
          try (EpisodeReader steps = dataset.read(episode, cameras.datasetCameras(), range)) {
            while (steps.hasNext()) {
              ask(episode.index(), steps.next(), cameras.sources());
              chunks++;
            }
          }
        }
      }
      return chunks * NANOS_PER_SECOND / (System.nanoTime() - begun);
    }
  }

  private void ask(int episode, Step step, Map<String, String> cameras) {
    ServedPolicy policy = loaded.policy();
    Map<String, Frame> frames = new HashMap<>();
    cameras.forEach((ours, theirs) -> frames.put(ours, step.frames().get(theirs)));
    Observation observation =
        new Observation(frames, step.state(), settings.prompt().orElse(step.task()));
    ObservationId id = new ObservationId("", Integer.toString(episode), step.frameIndex());
    Sample sample =
        new Sample(policy.prepare(observation), loaded.noise().draw(id, policy.noiseSize()), null);
    policy.actions(policy.infer(List.of(sample)).x().getFirst(), observation);
  }

  /** Frees the policy and its device. */
  @Override
  public void close() {
    try {
      loaded.device().close();
    } catch (Exception e) {
      throw new DeviceException("the device does not close: " + e.getMessage(), e);
    }
  }
}
