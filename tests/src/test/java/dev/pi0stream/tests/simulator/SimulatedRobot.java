package dev.pi0stream.tests.simulator;

import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A robot whose messages come late, twice, in another order, broken, or not at all as they should
 * be, besides sound ones.
 */
final class SimulatedRobot {
  private static final long LONGEST_DELAY_MICROS = 60_000;

  private final String name;
  private final VirtualTime time;
  private final SplittableRandom random;
  private final SimulatedBroker broker;
  private final SimulatedJob job;
  private final long periodMicros;
  private int episode;
  private long sequence;

  SimulatedRobot(
      String name,
      VirtualTime time,
      SplittableRandom random,
      SimulatedBroker broker,
      SimulatedJob job) {
    this.name = name;
    this.time = time;
    this.random = random;
    this.broker = broker;
    this.job = job;
    periodMicros = random.nextLong(15_000, 120_000);
  }

  /** Sends so many observations, one after the other. */
  void live(int observations) {
    if (observations == 0) {
      return;
    }
    if (random.nextInt(25) == 0) {
      episode++;
      sequence = 0;
    }
    byte[] message = random.nextInt(50) == 0 ? garbage() : observation();
    send(message, random.nextLong(LONGEST_DELAY_MICROS));
    if (random.nextInt(20) == 0) {
      send(message, random.nextLong(LONGEST_DELAY_MICROS));
    }
    time.within(periodMicros / 2, periodMicros * 3 / 2, () -> live(observations - 1));
  }

  /** Sends one observation that leaves nothing to wish for. */
  void sendLast() {
    RobotObservation last =
        RobotObservation.newBuilder()
            .setRobot(name)
            .setEpisode("last")
            .setSequence(0)
            .setObservedAt(time.instant())
            .setPrompt("rest")
            .setState(List.of(0.5f, 0.25f))
            .setFrames(List.of(picture("top"), picture("wrist")))
            .build();
    send(WireFormat.observations().encode(last), 0);
  }

  private void send(byte[] message, long micros) {
    time.after(
        Duration.ofNanos(1000 * micros),
        () -> {
          if (broker.isStalled()) {
            send(message, 10_000);
          } else {
            broker.send(Math.floorMod(name.hashCode(), SimulatedBroker.PARTITIONS), message);
            job.wake();
          }
        });
  }

  private byte[] observation() {
    boolean first = sequence == 0;
    float special =
        switch (random.nextInt(40)) {
          case 0 -> -1;
          case 1 -> -2;
          case 2 -> Float.NaN;
          default -> random.nextFloat();
        };
    List<CameraFrame> frames = new ArrayList<>();
    for (String camera : List.of("top", "wrist")) {
      if (!first && random.nextInt(3) == 0) {
        frames.add(new CameraFrame(camera, FrameEncoding.SAME, 0, 0, ByteBuffer.allocate(0)));
      } else if (random.nextInt(15) != 0) {
        frames.add(picture(camera));
      }
    }
    RobotObservation observation =
        RobotObservation.newBuilder()
            .setRobot(name)
            .setEpisode("episode-" + episode)
            .setSequence(sequence++)
            .setObservedAt(time.instant())
            .setDeadline(
                random.nextInt(4) == 0 ? time.instant().plusMillis(random.nextLong(20, 400)) : null)
            .setPrompt(first || random.nextInt(8) == 0 ? "task " + random.nextInt(3) : null)
            .setState(List.of(special, random.nextFloat()))
            .setFrames(frames)
            .build();
    return WireFormat.observations().encode(observation);
  }

  private CameraFrame picture(String camera) {
    byte[] pixels = {(byte) random.nextInt(6), (byte) random.nextInt(6), 3};
    return new CameraFrame(camera, FrameEncoding.RGB8, 1, 1, ByteBuffer.wrap(pixels));
  }

  private static byte[] garbage() {
    return "no observation".getBytes(StandardCharsets.UTF_8);
  }
}
