package dev.pi0stream.tests.stream;

import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Messages that robots should not send: some bytes of a good one, or what it says, are changed. */
final class Mutations {
  private static final String[] NAMES = {
    "", " ", "\u0000", "\uD800", "x".repeat(300), "../../etc", "机器人", "robot\nrobot", "fuzz-1"
  };
  private static final long[] NUMBERS = {
    Long.MIN_VALUE,
    Long.MIN_VALUE + 1,
    -1,
    0,
    1,
    Integer.MAX_VALUE,
    Long.MAX_VALUE - 1,
    Long.MAX_VALUE
  };
  private static final float[] FLOATS = {
    Float.NaN, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, Float.MIN_VALUE, -0f, 1e30f
  };

  /** Small enough for the broker to keep as many messages as a test sends. */
  private static final int SIDE = 24;

  private static final List<FrameEncoding> ENCODINGS = List.of(FrameEncoding.values());

  private final Random random;
  private final WireFormat<RobotObservation> format = WireFormat.observations();
  private final byte[] jpeg = RobotMessages.picture("jpeg", SIDE);
  private final byte[] png = RobotMessages.picture("png", SIDE);
  private long sequence;

  /**
   * @param seed of all that follows
   */
  Mutations(long seed) {
    random = new Random(seed);
  }

  /** The next message. */
  byte[] next() {
    byte[] good = format.encode(random.nextInt(3) == 0 ? odd() : small());
    return switch (random.nextInt(8)) {
      case 0 -> Arrays.copyOf(good, random.nextInt(good.length));
      case 1 -> spliced(good, format.encode(small()));
      case 2 -> noise(good, 10 + random.nextInt(50));
      case 3 -> Arrays.copyOf(good, good.length + 1 + random.nextInt(40));
      case 4 -> lengths(good);
      case 5 -> random.nextInt(4) == 0 ? bytes(random.nextInt(200)) : good;
      default -> noise(good, 1 + random.nextInt(3));
    };
  }

  /** A good observation with small pictures. */
  private RobotObservation small() {
    RobotObservation sent =
        RobotMessages.observation("fuzz-" + random.nextInt(5), "e1", sequence++);
    sent.setFrames(List.of(picture("top"), picture("wrist")));
    sent.setPrompt(RobotMessages.PROMPT);
    return sent;
  }

  private CameraFrame picture(String camera) {
    return switch (random.nextInt(4)) {
      case 0 -> RobotMessages.encoded(camera, FrameEncoding.JPEG, flipped(jpeg));
      case 1 -> RobotMessages.encoded(camera, FrameEncoding.PNG, flipped(png));
      case 2 -> RobotMessages.same(camera);
      default -> new CameraFrame(camera, FrameEncoding.RGB8, 4, 4, ByteBuffer.wrap(bytes(48)));
    };
  }

  /** One that can be written, and says odd things. */
  private RobotObservation odd() {
    RobotObservation sent = small();
    switch (random.nextInt(10)) {
      case 0 -> sent.setRobot(NAMES[random.nextInt(NAMES.length)]);
      case 1 -> sent.setEpisode(NAMES[random.nextInt(NAMES.length)]);
      case 2 -> sent.setSequence(NUMBERS[random.nextInt(NUMBERS.length)]);
      case 3 -> sent.setObservedAt(moment());
      case 4 -> sent.setDeadline(moment());
      case 5 -> sent.setPrompt(NAMES[random.nextInt(NAMES.length)]);
      case 6 -> sent.setState(List.of(FLOATS[random.nextInt(FLOATS.length)], 1f, 2f));
      case 7 ->
          sent.setFrames(
              List.of(
                  new CameraFrame(
                      "top",
                      ENCODINGS.get(random.nextInt(ENCODINGS.size())),
                      (int) NUMBERS[random.nextInt(NUMBERS.length)],
                      random.nextInt(),
                      ByteBuffer.wrap(bytes(random.nextInt(64))))));
      case 8 -> sent.setFrames(List.of(picture("top"), picture("top"), picture("belly")));
      default -> sent.setState(Collections.nCopies(random.nextInt(2000), 0.5f));
    }
    return sent;
  }

  private Instant moment() {
    long micros = NUMBERS[random.nextInt(NUMBERS.length)] / 2;
    return Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000), micros % 1000);
  }

  private byte[] flipped(byte[] picture) {
    return random.nextBoolean() ? picture : noise(picture, 1 + random.nextInt(20));
  }

  private byte[] noise(byte[] good, int places) {
    byte[] bad = good.clone();
    // The front holds header, names and numbers; the pictures behind it are most of the bytes.
    int front = Math.min(bad.length, 120);
    for (int i = 0; i < places; i++) {
      bad[random.nextInt(random.nextBoolean() ? front : bad.length)] ^=
          (byte) (1 << random.nextInt(8));
    }
    return bad;
  }

  /** A place of the body says that something enormous follows. */
  private byte[] lengths(byte[] good) {
    byte[] bad = good.clone();
    int at = 10 + random.nextInt(Math.min(100, bad.length - 20));
    Arrays.fill(bad, at, at + 1 + random.nextInt(9), (byte) 0xFF);
    return bad;
  }

  private byte[] spliced(byte[] one, byte[] other) {
    int cut = random.nextInt(Math.min(one.length, other.length));
    byte[] both = Arrays.copyOf(one, other.length);
    System.arraycopy(other, cut, both, cut, other.length - cut);
    return both;
  }

  private byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    random.nextBytes(bytes);
    return bytes;
  }
}
