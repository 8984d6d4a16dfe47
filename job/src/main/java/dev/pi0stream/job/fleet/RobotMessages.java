package dev.pi0stream.job.fleet;

import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * The observations of one made-up robot. Pictures are noise with the robot's and the observation's
 * identity in their first pixels, so that no two are the same; states are near 0.
 */
final class RobotMessages {
  private static final int CHANNELS = 3;

  private final String robot;
  private final String session;
  private final FleetSettings.Body body;
  private final FleetSettings.Rhythm rhythm;
  private final long seed;

  /**
   * @param seed the robot's own
   */
  RobotMessages(
      String robot,
      String session,
      FleetSettings.Body body,
      FleetSettings.Rhythm rhythm,
      long seed) {
    this.robot = robot;
    this.session = session;
    this.body = body;
    this.rhythm = rhythm;
    this.seed = seed;
  }

  String robot() {
    return robot;
  }

  /** The name of the robot's how-manieth episode. */
  String episode(int number) {
    return session + "-" + number;
  }

  /**
   * The message of an act.
   *
   * @param observedAt when its frames were taken
   */
  RobotObservation message(RobotAct.Observe act, Instant observedAt) {
    Random random = new Random(seed ^ (act.sequence() * 31 + act.episode()));
    List<Float> state = new ArrayList<>();
    for (int i = 0; i < body.stateNumbers(); i++) {
      state.add(random.nextFloat() - 0.5f);
    }
    List<CameraFrame> frames = new ArrayList<>();
    for (String camera : body.cameras()) {
      frames.add(act.pictures() ? picture(camera, act) : same(camera));
    }
    return RobotObservation.newBuilder()
        .setRobot(robot)
        .setEpisode(episode(act.episode()))
        .setSequence(act.sequence())
        .setObservedAt(observedAt)
        .setDeadline(rhythm.deadline().map(observedAt::plus).orElse(null))
        .setPrompt(act.sequence() == 0 ? body.prompt() : null)
        .setState(state)
        .setFrames(frames)
        .build();
  }

  private CameraFrame picture(String camera, RobotAct.Observe act) {
    byte[] pixels = new byte[body.frameSide() * body.frameSide() * CHANNELS];
    new Random(seed + camera.hashCode()).nextBytes(pixels);
    ByteBuffer.wrap(pixels)
        .putLong(seed)
        .putLong(act.sequence())
        .putInt(act.episode())
        .putInt(camera.hashCode());
    return new CameraFrame(
        camera, FrameEncoding.RGB8, body.frameSide(), body.frameSide(), ByteBuffer.wrap(pixels));
  }

  private static CameraFrame same(String camera) {
    return new CameraFrame(camera, FrameEncoding.SAME, 0, 0, ByteBuffer.allocate(0));
  }
}
