package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.DevicePool;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.assertj.core.api.AbstractFloatArrayAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a failure in mid-stream leaves: every observation has its outcome, and the same actions. */
@Timeout(240)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class RecoveryITCase {
  private static final String BEFORE = "before the policy";
  private static final String BEHIND = "behind the policy";

  private final long loads = DevicePool.ofTaskManager().loads();

  @AfterEach
  void leaveNoFaultToOtherTests() {
    FaultInjection.disarm();
  }

  /**
   * A task fails before the policy while one observation is on the device and another is in the
   * checkpoint as in flight; then one fails behind it, so that a chunk is computed and lost.
   */
  @ParameterizedTest
  @CsvSource({"reference, 0", "cpu, 1e-4"})
  void aTaskThatFailsFindsTheResidentEngineAndLosesNothing(String name, float tolerance)
      throws Exception {
    ScriptedDevice loader = new ScriptedDevice("task on " + name);
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            PolicyJobSettings.engine(name), PolicyJobSettings.NO_CHECKPOINTS, loader);
    try (ServedJob job =
            new ServedJob((environment, topics) -> faulty(environment, topics, settings));
        ScriptedDevice.Controls device = loader.controls()) {
      long done = send(job, "a", 0);
      job.awaitChunks(done, 1);
      device.hold();
      long inFlight = send(job, "b", 0);
      device.awaitStoppedBatch();
      job.checkpoint();
      device.release();
      long next = send(job, "a", 1);
      long other = send(job, "c", 0);
      for (long offset : List.of(inFlight, next, other)) {
        job.awaitChunks(offset, 1);
      }

      device.hold();
      long onDevice = send(job, "d", 0);
      device.awaitStoppedBatch();
      FaultInjection.arm(BEFORE, 0);
      long trigger = send(job, "e", 0);
      job.awaitRestart(1);
      assertThat(job.failure()).contains("injected fault " + BEFORE);
      device.release();
      for (long offset : List.of(inFlight, next, other)) {
        job.awaitChunks(offset, 2);
      }
      for (long offset : List.of(onDevice, trigger)) {
        job.awaitChunks(offset, 1);
      }

      FaultInjection.arm(BEHIND, 0);
      long lost = send(job, "f", 0);
      job.awaitRestart(2);
      assertThat(job.failure()).contains("injected fault " + BEHIND);
      for (long offset : List.of(inFlight, next, other)) {
        job.awaitChunks(offset, 3);
      }
      for (long offset : List.of(onDevice, trigger)) {
        job.awaitChunks(offset, 2);
      }
      job.awaitChunks(lost, 1);

      Map<Long, List<ServedJob.End>> ends = job.awaitOutcomesUpTo(lost);
      assertThat(ends).hasSize((int) lost + 1);
      assertThat(ends.get(done)).as("what was done before the checkpoint").hasSize(1);
      assertOnlyEqualChunks(ends, tolerance);
      assertThat(job.restarts()).isEqualTo(2);
      assertThat(DevicePool.ofTaskManager().loads()).isEqualTo(loads + 1);
      assertThat(device.closes()).isZero();
      assertClean(job);
    }
    loader.controls().awaitCloses(1);
  }

  /** One batch fails on the device while another observation waits for it. */
  @ParameterizedTest
  @CsvSource({"reference, 0", "cpu, 1e-4"})
  void aDeviceThatFailsIsOpenedAnewAndNothingIsLost(String name, float tolerance) throws Exception {
    ScriptedDevice loader = new ScriptedDevice("fault of " + name);
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            PolicyJobSettings.engine(name), PolicyJobSettings.NO_CHECKPOINTS, loader);
    try (ServedJob job = ServedJob.usual(settings);
        ScriptedDevice.Controls device = loader.controls()) {
      long done = send(job, "a", 0);
      job.awaitChunks(done, 1);
      job.checkpoint();
      long again = send(job, "a", 1);
      job.awaitChunks(again, 1);

      device.hold();
      long onDevice = send(job, "b", 0);
      device.awaitStoppedBatch();
      long waiting = send(job, "c", 0);
      device.failNextBatch();
      device.release();
      job.awaitRestart(1);
      assertThat(job.failure()).contains("injected fault of the device");
      job.awaitChunks(again, 2);
      job.awaitChunks(onDevice, 1);
      job.awaitChunks(waiting, 1);

      Map<Long, List<ServedJob.End>> ends = job.awaitOutcomesUpTo(waiting);
      assertThat(ends).hasSize((int) waiting + 1);
      assertThat(ends.get(done)).as("what was done before the checkpoint").hasSize(1);
      assertOnlyEqualChunks(ends, tolerance);
      assertThat(job.restarts()).isEqualTo(1);
      assertThat(DevicePool.ofTaskManager().loads()).isEqualTo(loads + 2);
      assertThat(device.closes()).as("devices that were closed").isEqualTo(1);
      assertClean(job);
    }
    loader.controls().awaitCloses(2);
  }

  /**
   * A batch does not come back; what was on the device and what waited is served by the next one.
   */
  @Test
  void aDeviceThatHangsEndsWithASentenceAndIsOpenedAnew() throws Exception {
    ScriptedDevice loader = new ScriptedDevice("hanging device");
    EngineSpec usual = PolicyJobSettings.engine("reference");
    EngineSpec impatient =
        new EngineSpec(
            usual.checkpoint(),
            usual.device(),
            usual.precision(),
            usual.maxBatch(),
            usual.reuseBytes(),
            Duration.ZERO,
            Duration.ofSeconds(2));
    PolicyJobSettings settings =
        PolicyJobSettings.of(impatient, PolicyJobSettings.NO_CHECKPOINTS, loader);
    try (ServedJob job = ServedJob.usual(settings);
        ScriptedDevice.Controls device = loader.controls()) {
      long done = send(job, "a", 0);
      job.awaitChunks(done, 1);
      job.checkpoint();
      device.hold();
      long onDevice = send(job, "b", 0);
      device.awaitStoppedBatch();
      long waiting = send(job, "c", 0);
      job.awaitRestart(1);
      assertThat(job.failure())
          .contains("the device hangs: a batch of 1 has not ended within 2.0 s");
      device.release();
      for (long offset : List.of(onDevice, waiting)) {
        job.awaitChunks(offset, 1);
      }
      assertOnlyEqualChunks(job.awaitOutcomesUpTo(waiting), 0);
      assertThat(DevicePool.ofTaskManager().loads()).isGreaterThanOrEqualTo(loads + 2);
    }
  }

  /** Faults wherever they happen to fall between two checkpoints. */
  @Test
  void aStreamWithFaultsAndPeriodicCheckpointsHasAnOutcomeForEveryObservation() throws Exception {
    List<String> robots = List.of("a", "b", "c");
    int rounds = 16;
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            PolicyJobSettings.engine("reference"), Duration.ofMillis(200), new CheckpointLoader());
    FaultInjection.arm(BEFORE, robots.size() * rounds / 3);
    FaultInjection.arm(BEHIND, robots.size() * rounds * 2 / 3);
    try (ServedJob job =
        new ServedJob((environment, topics) -> faulty(environment, topics, settings))) {
      List<Long> sent = new ArrayList<>();
      for (int sequence = 0; sequence < rounds; sequence++) {
        for (String robot : robots) {
          sent.add(send(job, robot, sequence));
        }
        // In step with the slowest, so that what is served does not depend on the machine's speed.
        for (long offset : sent.subList(sequence * robots.size(), sent.size())) {
          job.awaitChunks(offset, 1);
        }
      }
      assertThat(FaultInjection.allHappened()).isTrue();
      assertThat(job.restarts()).isEqualTo(2);
      Map<Long, List<ServedJob.End>> ends = job.awaitOutcomesUpTo(sent.getLast());
      assertThat(ends).containsOnlyKeys(sent);
      assertChunksOfARecordAreEqual(ends, 0);
      assertThat(DevicePool.ofTaskManager().loads()).isEqualTo(loads + 1);
      assertClean(job);
    }
  }

  private static void assertClean(ServedJob job) {
    AuditReport audit = job.audit();
    assertThat(audit.findings()).as(() -> audit.examples().toString()).isEmpty();
  }

  /** The usual job with a place for a fault before the policy and one behind it. */
  private static void faulty(
      StreamExecutionEnvironment environment, KafkaSettings topics, PolicyJobSettings settings) {
    PolicyJob.configure(environment, settings.job());
    DataStream<SourceRecord> observations =
        PolicyJob.observations(environment, topics)
            .map(new FaultInjection<SourceRecord>(BEFORE))
            .returns(TypeInformation.of(SourceRecord.class))
            .uid("fault-before");
    PolicyJob.Answers answers = PolicyJob.serve(observations, settings.job(), settings.loader());
    DataStream<WireRecord> chunks =
        answers
            .chunks()
            .map(new FaultInjection<WireRecord>(BEHIND))
            .returns(TypeInformation.of(WireRecord.class))
            .uid("fault-behind");
    PolicyJob.publish(
        new PolicyJob.Answers(chunks, answers.outcomes(), answers.telemetry()), topics);
  }

  private static long send(ServedJob job, String robot, long sequence) {
    return job.send(RobotMessages.observation(robot, "e1", sequence));
  }

  private static void assertOnlyEqualChunks(Map<Long, List<ServedJob.End>> ends, float tolerance) {
    assertThat(ends.values())
        .allSatisfy(end -> assertThat(end).allSatisfy(e -> assertThat(e.chunk()).isNotNull()));
    assertChunksOfARecordAreEqual(ends, tolerance);
  }

  /** Each number within the tolerance; bit for bit where it is 0. */
  private static void assertChunksOfARecordAreEqual(
      Map<Long, List<ServedJob.End>> ends, float tolerance) {
    ends.forEach(
        (offset, end) -> {
          List<ActionChunk> chunks = ServedJob.chunks(end);
          ActionChunk first = chunks.getFirst();
          for (ActionChunk chunk : chunks.subList(1, chunks.size())) {
            assertThat(chunk.getRobot()).isEqualTo(first.getRobot());
            assertThat(chunk.getSequence()).isEqualTo(first.getSequence());
            AbstractFloatArrayAssert<?> again =
                assertThat(numbers(chunk)).as("actions for record %d, again", offset);
            if (tolerance == 0) {
              again.containsExactly(numbers(first));
            } else {
              again.usingComparatorWithPrecision(tolerance).containsExactly(numbers(first));
            }
          }
        });
  }

  private static float[] numbers(ActionChunk chunk) {
    float[] numbers = new float[chunk.getActions().size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = chunk.getActions().get(i);
    }
    return numbers;
  }
}
