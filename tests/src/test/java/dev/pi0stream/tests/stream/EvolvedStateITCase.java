package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Savepoints of earlier versions, as they were stored then: {@code tests/savepoints/VERSION}. In
 * each robot {@code a} has sent two observations and has their chunks, and the first of robot
 * {@code b} is in flight.
 */
@Timeout(240)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class EvolvedStateITCase {
  /** Sessions must not have been forgotten since the savepoint was taken. */
  private static final Duration CENTURY = Duration.ofDays(36_500);

  @TempDir private Path directory;

  @Test
  void theSessionsAndWhatWasInFlightInTheFirstVersionAreRestored() throws Exception {
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            PolicyJobSettings.engine("cpu"),
            PolicyJobSettings.NO_CHECKPOINTS,
            new CheckpointLoader());
    JobSettings usual = settings.job();
    JobSettings remembering =
        new JobSettings(
            usual.engine(),
            usual.parallelism(),
            usual.inFlight(),
            usual.timeout(),
            usual.checkpointInterval(),
            CENTURY,
            usual.limits());
    BiConsumer<StreamExecutionEnvironment, KafkaSettings> graph =
        (environment, topics) ->
            PolicyJob.build(environment, remembering, topics, settings.loader());
    try (ServedJob job = new ServedJob(graph)) {
      job.stopWithSavepoint(directory);
      // The topic as it was then: the savepoint says how far it was read.
      job.send(small("a", 0));
      job.send(small("a", 1));
      long inFlight = job.send(small("b", 0));
      RobotObservation next = small("a", 2);
      next.setFrames(List.of(RobotMessages.same("top"), RobotMessages.same("wrist")));
      long fromSession = job.send(next);
      long repeat = job.send(small("a", 1));
      job.goOn(graph, Path.of("savepoints", "1").toAbsolutePath().toUri().toString());
      job.awaitChunks(inFlight, 1);
      job.awaitChunks(fromSession, 1);
      job.await(
          () -> job.ends().containsKey(repeat), () -> "the repeated observation has no outcome");
      Map<Long, List<ServedJob.End>> ends = job.ends();
      assertThat(ends).containsOnlyKeys(inFlight, fromSession, repeat);
      assertThat(ends.get(inFlight).getFirst().chunk().getRobot()).isEqualTo("b");
      assertThat(ends.get(repeat).getFirst().outcome().getReason()).contains("came after 2");
    }
  }

  private static RobotObservation small(String robot, long sequence) {
    RobotObservation sent = RobotMessages.observation(robot, "e1", sequence);
    sent.setFrames(List.of(frame("top", 1), frame("wrist", 2)));
    return sent;
  }

  private static CameraFrame frame(String camera, int value) {
    byte[] pixels = new byte[4 * 4 * 3];
    Arrays.fill(pixels, (byte) value);
    return new CameraFrame(camera, FrameEncoding.RGB8, 4, 4, ByteBuffer.wrap(pixels));
  }
}
