package dev.pi0stream.tests.stream;

import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;

/**
 * What the robots of these tests send: the shipped policy's cameras and state, made-up pictures.
 */
final class RobotMessages {
  static final String PROMPT = "put the red block on the white tray";
  private static final int SIDE = 112;

  private RobotMessages() {}

  /** An observation that the shipped policy can serve, different for every identity. */
  static RobotObservation observation(String robot, String episode, long sequence) {
    int seed = robot.hashCode() * 31 + (int) sequence;
    return new RobotObservation(
        robot,
        episode,
        sequence,
        Instant.EPOCH.plusMillis(100 * sequence),
        null,
        sequence == 0 ? PROMPT : null,
        List.of(0.1f + 0.001f * (seed & 63), 0.2f, 1f),
        List.of(rgb("top", seed), rgb("wrist", seed + 1)),
        null);
  }

  static CameraFrame rgb(String camera, int seed) {
    byte[] pixels = new byte[SIDE * SIDE * 3];
    new Random(seed).nextBytes(pixels);
    return new CameraFrame(camera, FrameEncoding.RGB8, SIDE, SIDE, ByteBuffer.wrap(pixels));
  }

  static CameraFrame same(String camera) {
    return new CameraFrame(camera, FrameEncoding.SAME, 0, 0, ByteBuffer.allocate(0));
  }

  static CameraFrame encoded(String camera, FrameEncoding encoding, byte[] data) {
    return new CameraFrame(camera, encoding, 0, 0, ByteBuffer.wrap(data));
  }

  /** A picture of noise in one of the formats that the JDK writes. */
  static byte[] picture(String format) {
    return picture(format, SIDE);
  }

  /** A square one of so many rows. */
  static byte[] picture(String format, int side) {
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(3);
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        image.setRGB(x, y, random.nextInt(1 << 24));
      }
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, format, bytes)) {
        throw new IllegalArgumentException("no writer for " + format);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }
}
