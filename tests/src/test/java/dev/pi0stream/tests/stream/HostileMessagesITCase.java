package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.audit.Audit;
import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.audit.AuditSettings;
import dev.pi0stream.job.audit.Recomputation;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.ChunkInExecution;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Messages that break the contract in whatever way: each ends, and the job never restarts. */
@Timeout(590)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class HostileMessagesITCase {
  @Test
  void twoThousandMutatedMessagesEndAndRestartNothing() throws Exception {
    hostile(2_000);
  }

  @Test
  @Tag("long")
  void aHundredThousandMutatedMessagesEndAndRestartNothing() throws Exception {
    hostile(100_000);
  }

  private static void hostile(int count) throws Exception {
    EngineSpec engine = new EngineSpec("hostile " + count, "stub", "fp32", 8);
    PolicyJobSettings settings =
        PolicyJobSettings.of(engine, Duration.ofSeconds(2), new StubPolicy());
    try (ServedJob job = ServedJob.usual(settings)) {
      SplittableRandom random = new SplittableRandom(count);
      List<byte[]> messages = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        messages.add(mutated(random, WireFormat.observations().encode(sound(random, i))));
      }
      messages.add(WireFormat.observations().encode(sound(random, count)));
      long last = job.sendAll(messages);
      job.awaitOutcomesUpTo(last);
      assertThat(job.restarts()).isZero();
      AuditReport report =
          new Audit(
                  new AuditSettings(
                      KafkaSettings.defaults(job.bootstrapServers()),
                      Optional.empty(),
                      Optional.empty(),
                      Duration.ZERO))
              .run(Recomputation.none());
      assertThat(report.examples()).isEmpty();
      assertThat(report.records()).isEqualTo(count + 1L);
      assertThat(report.rejected()).as("messages that broke the contract").isGreaterThan(count / 4);
      assertThat(report.chunks()).as("messages that are still sound").isPositive();
    }
  }

  private static RobotObservation sound(SplittableRandom random, int number) {
    return new RobotObservation(
        "robot-" + random.nextInt(20),
        "e1",
        (long) number,
        Instant.EPOCH.plusMillis(number),
        random.nextBoolean() ? Instant.now().plusSeconds(3600) : null,
        "lift it",
        List.of(1f, 2f, 3f),
        List.of(
            new CameraFrame("top", FrameEncoding.RGB8, 2, 2, ByteBuffer.wrap(new byte[12])),
            random.nextInt(4) == 0
                ? new CameraFrame("wrist", FrameEncoding.SAME, 0, 0, ByteBuffer.allocate(0))
                : new CameraFrame("wrist", FrameEncoding.RGB8, 1, 1, ByteBuffer.wrap(new byte[3]))),
        random.nextBoolean() ? new ChunkInExecution(List.of(1f), 1, 1) : null);
  }

  /** Other bytes, fewer or more, or none of them sound. */
  private static byte[] mutated(SplittableRandom random, byte[] sound) {
    byte[] message = sound.clone();
    switch (random.nextInt(5)) {
      case 0 -> message = Arrays.copyOf(message, random.nextInt(message.length));
      case 1 -> message = Arrays.copyOf(message, message.length + 1 + random.nextInt(20));
      case 2 -> random.nextBytes(message);
      default -> {
        for (int flips = 1 + random.nextInt(6); flips > 0; flips--) {
          message[random.nextInt(message.length)] = (byte) random.nextInt();
        }
      }
    }
    return message;
  }
}
