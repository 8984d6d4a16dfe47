package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.schemas.OutcomeKind;
import dev.pi0stream.schemas.RobotObservation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens to a job from outside; each ends in a clean audit. */
@Timeout(240)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class FaultsITCase {
  private static final List<String> ROBOTS =
      IntStream.range(0, 4).mapToObj(i -> "robot-" + i).toList();

  @TempDir private Path directory;

  @Test
  void aBrokerThatRestartsIsWaitedForAndNothingIsLost() throws Exception {
    try (ServedJob job = new ServedJob(graph(1, new CheckpointLoader()))) {
      List<Long> sent = new ArrayList<>();
      for (String robot : ROBOTS) {
        sent.add(job.send(RobotMessages.observation(robot, "e1", 0)));
      }
      job.awaitOutcomesUpTo(sent.getLast());
      job.broker().stop();
      job.broker().startAgain();
      for (String robot : ROBOTS) {
        sent.add(job.send(onlyState(robot, 1)));
      }
      for (long offset : sent) {
        job.awaitChunks(offset, 1);
      }
      assertClean(job.audit(), sent.size());
    }
  }

  @Test
  void aSavepointIsRestoredIntoAnotherParallelism() throws Exception {
    PolicyLoader loader = new CheckpointLoader();
    try (ServedJob job = new ServedJob(graph(1, loader), 2, new Configuration())) {
      long last = 0;
      for (String robot : ROBOTS) {
        last = job.send(RobotMessages.observation(robot, "e1", 0));
      }
      job.awaitOutcomesUpTo(last);
      int sequence = 1;
      for (int parallelism : new int[] {2, 1}) {
        String savepoint = job.stopWithSavepoint(directory);
        List<Long> sent = new ArrayList<>();
        for (String robot : ROBOTS) {
          // Prompt and frames are in the session alone.
          sent.add(job.send(onlyState(robot, sequence)));
        }
        job.goOn(graph(parallelism, loader), savepoint);
        for (long offset : sent) {
          job.awaitChunks(offset, 1);
          last = offset;
        }
        sequence++;
      }
      assertClean(job.audit(), last + 1);
    }
  }

  /** Four robots send forty times as fast as the device serves them. */
  @Test
  void aDeviceThatIsTooSlowServesTheNewestAndHoldsNothingUp() throws Exception {
    ScriptedDevice loader = new ScriptedDevice("too slow");
    try (ServedJob job = new ServedJob(graph(1, loader));
        ScriptedDevice.Controls device = loader.controls()) {
      device.slowDown(Duration.ofMillis(200));
      Map<String, Long> newest = new HashMap<>();
      long last = 0;
      for (int sequence = 0; sequence < 100; sequence++) {
        for (String robot : ROBOTS) {
          last =
              job.send(
                  sequence == 0
                      ? RobotMessages.observation(robot, "e1", 0)
                      : onlyState(robot, sequence));
          newest.put(robot, last);
        }
        Thread.sleep(5);
      }
      Map<Long, List<ServedJob.End>> ends = job.awaitOutcomesUpTo(last);
      assertThat(newest.values())
          .allSatisfy(offset -> assertThat(ServedJob.chunks(ends.get(offset))).hasSize(1));
      assertThat(ends.values())
          .filteredOn(end -> end.getFirst().chunk() == null)
          .hasSizeGreaterThan(ends.size() / 2)
          .allMatch(end -> end.getFirst().outcome().getKind() == OutcomeKind.SUPERSEDED);
      AuditReport audit = job.audit();
      assertClean(audit, last + 1);
      assertThat(audit.superseded()).isGreaterThan(audit.chunks());
      assertThat(job.restarts()).isZero();
    }
  }

  private static void assertClean(AuditReport audit, long records) {
    assertThat(audit.findings()).as(() -> audit.examples().toString()).isEmpty();
    assertThat(audit.records()).isEqualTo(records);
    assertThat(audit.missing()).isZero();
  }

  /** An observation that says "the same as before" of all but its state. */
  private static RobotObservation onlyState(String robot, long sequence) {
    RobotObservation sent = RobotMessages.observation(robot, "e1", sequence);
    sent.setFrames(List.of(RobotMessages.same("top"), RobotMessages.same("wrist")));
    return sent;
  }

  private static BiConsumer<StreamExecutionEnvironment, KafkaSettings> graph(
      int parallelism, PolicyLoader loader) {
    JobSettings settings =
        new JobSettings(
                PolicyJobSettings.engine("cpu"),
                parallelism,
                64,
                Duration.ofSeconds(60),
                Duration.ofMillis(500),
                Duration.ofMinutes(10),
                ObservationLimits.DEFAULT)
            .spreading(ROBOTS);
    return (environment, topics) -> PolicyJob.build(environment, settings, topics, loader);
  }
}
