package dev.pi0stream.operators.observation;

import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;

/** What robots send. */
public final class Sent {
  private Sent() {}

  /** A sound observation with a prompt and two raw frames. */
  public static RobotObservation observation() {
    return new RobotObservation(
        "arm",
        "e1",
        7L,
        Instant.EPOCH.plusSeconds(100),
        Instant.EPOCH.plusSeconds(101),
        "put the red block on the white tray",
        List.of(0.25f, -1f, 3e7f),
        List.of(rgb("top", 2, 1, (byte) 10), rgb("wrist", 1, 1, (byte) 20)),
        null);
  }

  public static CameraFrame rgb(String camera, int width, int height, byte value) {
    byte[] pixels = new byte[width * height * 3];
    java.util.Arrays.fill(pixels, value);
    return new CameraFrame(camera, FrameEncoding.RGB8, width, height, ByteBuffer.wrap(pixels));
  }

  public static CameraFrame same(String camera) {
    return new CameraFrame(camera, FrameEncoding.SAME, 0, 0, ByteBuffer.wrap(new byte[0]));
  }

  public static SourceRecord record(byte[] value) {
    return new SourceRecord(new SourcePosition("observations", 3, 42), 1000, value);
  }

  public static SourceRecord record(RobotObservation observation) {
    return record(WireFormat.observations().encode(observation));
  }

  /** The observation as the decoder gives it. */
  public static DecodedObservation decoded(RobotObservation observation) {
    try {
      return new ObservationDecoder(ObservationLimits.DEFAULT).decode(record(observation));
    } catch (UnreadableObservationException e) {
      throw new AssertionError(e);
    }
  }
}
