package dev.pi0stream.job.run;

import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.EpisodeReader;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.Step;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Plays one logged episode as a robot: sends each step's frames, state and instruction when its
 * time has come, and begins again under a new episode's name when it is over. Steps are due at
 * fixed times from the first on, so that a step that comes late does not delay the others; none is
 * left out.
 */
final class EpisodePlayer {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final String robot;
  private final String session;
  private final LeRobotDataset dataset;
  private final Episode episode;
  private final CameraMapping cameras;
  private final double stepsPerSecond;
  private final Pace pace;
  private final ObservationSink sink;
  private volatile Duration behind = Duration.ZERO;

  /**
   * A robot.
   *
   * @param robot its name
   * @param session what its episodes' names begin with; unique among all that ever went to the
   *     topic under this robot's name
   * @param stepsPerSecond the dataset's frames per second, times the speed
   */
  EpisodePlayer(
      String robot,
      String session,
      LeRobotDataset dataset,
      Episode episode,
      CameraMapping cameras,
      double stepsPerSecond,
      Pace pace,
      ObservationSink sink) {
    this.robot = robot;
    this.session = session;
    this.dataset = dataset;
    this.episode = episode;
    this.cameras = cameras;
    this.stepsPerSecond = stepsPerSecond;
    this.pace = pace;
    this.sink = sink;
  }

  /** The robot's name. */
  String robot() {
    return robot;
  }

  /** How late the last step was sent. */
  Duration behind() {
    return behind;
  }

  /** The logged actions, step by step, each in the robot's units. */
  List<float[]> actions() {
    List<float[]> actions = new ArrayList<>();
    try (EpisodeReader steps = dataset.read(episode, List.of())) {
      while (steps.hasNext()) {
        actions.add(steps.next().action());
      }
    }
    return actions;
  }

  /**
   * Plays until the pace says that the run ends.
   *
   * @param start when the first step is due
   */
  void play(Instant start) throws InterruptedException {
    long sent = 0;
    for (int pass = 0; ; pass++) {
      String name = session + "-" + pass;
      try (EpisodeReader steps = dataset.read(episode, cameras.datasetCameras())) {
        while (steps.hasNext()) {
          Step step = steps.next();
          Instant due = start.plusNanos(Math.round(sent * (NANOS_PER_SECOND / stepsPerSecond)));
          if (!pace.awaitUntil(due)) {
            return;
          }
          Instant now = pace.now();
          sink.send(observation(name, step, now));
          behind = Duration.between(due, now);
          sent++;
        }
      }
    }
  }

  private RobotObservation observation(String name, Step step, Instant now) {
    List<CameraFrame> frames = new ArrayList<>();
    for (Map.Entry<String, String> camera : cameras.sources().entrySet()) {
      Frame frame = step.frames().get(camera.getValue());
      frames.add(
          new CameraFrame(
              camera.getKey(),
              FrameEncoding.RGB8,
              frame.width(),
              frame.height(),
              ByteBuffer.wrap(frame.data())));
    }
    List<Float> state = new ArrayList<>(step.state().length);
    for (float value : step.state()) {
      state.add(value);
    }
    return RobotObservation.newBuilder()
        .setRobot(robot)
        .setEpisode(name)
        .setSequence(step.frameIndex())
        .setObservedAt(now)
        .setPrompt(step.task())
        .setState(state)
        .setFrames(frames)
        .build();
  }
}
