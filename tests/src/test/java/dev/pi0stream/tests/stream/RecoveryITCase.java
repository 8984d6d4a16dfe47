package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.DevicePool;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a failure in mid-stream leaves: every observation has its outcome, and the same actions. */
@Timeout(240)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class RecoveryITCase {
  private static final List<String> ROBOTS = List.of("a", "b", "c");
  private static final int OBSERVATIONS = 30;

  @Test
  void aTaskThatFailsFindsTheResidentEngineAndLosesNothing() throws Exception {
    PolicyJobSettings settings =
        PolicyJobSettings.every(Duration.ofMillis(500), new CheckpointLoader());
    long loads = DevicePool.ofTaskManager().loads();
    try (ServedJob job =
        new ServedJob((environment, topics) -> faulty(environment, topics, settings, 20, 5))) {
      Map<Long, List<ServedJob.End>> ends = job.awaitOutcomesUpTo(play(job));
      assertThat(job.restarts()).isEqualTo(2);
      assertThat(DevicePool.ofTaskManager().loads()).isEqualTo(loads + 1);
      assertRepeatsAreEqual(ends);
    }
  }

  @Test
  void aChunkThatIsComputedAgainIsTheSame() throws Exception {
    PolicyJobSettings settings =
        PolicyJobSettings.every(Duration.ofHours(1), new CheckpointLoader());
    long loads = DevicePool.ofTaskManager().loads();
    try (ServedJob job =
        new ServedJob((environment, topics) -> faulty(environment, topics, settings, 0, 7))) {
      // As many robots as observations: none supersedes another, so that all become chunks.
      long last = 0;
      for (int robot = 0; robot < 6; robot++) {
        last = job.send(RobotMessages.observation("robot" + robot, "e1", 0));
      }
      assertThat(job.awaitOutcomesUpTo(last)).hasSize(6);
      // The seventh lets the task fail, which has no checkpoint and begins from the start.
      long seventh = job.send(RobotMessages.observation("robot6", "e1", 0));
      Map<Long, List<ServedJob.End>> ends = job.awaitChunks(seventh + 1 + last + 1);
      assertThat(job.restarts()).isEqualTo(1);
      assertThat(DevicePool.ofTaskManager().loads()).isEqualTo(loads + 1);
      for (long offset = 0; offset <= last; offset++) {
        assertThat(ends.get(offset)).hasSize(2).allMatch(end -> end.chunk() != null);
      }
      assertRepeatsAreEqual(ends);
    }
  }

  @Test
  void aDeviceThatFailsIsOpenedAnewAndNothingIsLost() throws Exception {
    PolicyJobSettings settings =
        PolicyJobSettings.every(Duration.ofMillis(500), new BurningDevice());
    long loads = DevicePool.ofTaskManager().loads();
    try (ServedJob job = ServedJob.usual(settings)) {
      Map<Long, List<ServedJob.End>> ends = job.awaitOutcomesUpTo(play(job));
      assertThat(job.restarts()).isEqualTo(1);
      assertThat(DevicePool.ofTaskManager().loads()).isEqualTo(loads + 2);
      assertRepeatsAreEqual(ends);
    }
  }

  /**
   * The usual job with faults.
   *
   * @param before the record at which a task before the job fails; 0 for none
   * @param behind the chunk at which a task behind the job fails
   */
  private static void faulty(
      StreamExecutionEnvironment environment,
      KafkaSettings topics,
      PolicyJobSettings settings,
      int before,
      int behind) {
    PolicyJob.configure(environment, settings.job());
    DataStream<SourceRecord> observations =
        PolicyJob.observations(environment, topics)
            .map(new FaultInjection<SourceRecord>(before))
            .returns(TypeInformation.of(SourceRecord.class))
            .uid("fault-before");
    PolicyJob.Answers answers = PolicyJob.serve(observations, settings.job(), settings.loader());
    DataStream<WireRecord> chunks =
        answers
            .chunks()
            .map(new FaultInjection<WireRecord>(behind))
            .returns(TypeInformation.of(WireRecord.class))
            .uid("fault-behind");
    PolicyJob.publish(new PolicyJob.Answers(chunks, answers.outcomes()), topics);
  }

  /** Lets three robots send at their pace; returns the last offset. */
  private static long play(ServedJob job) throws InterruptedException {
    long last = 0;
    for (int sequence = 0; sequence < OBSERVATIONS; sequence++) {
      for (String robot : ROBOTS) {
        last = job.send(RobotMessages.observation(robot, "e1", sequence));
      }
      Thread.sleep(100);
    }
    return last;
  }

  private static void assertRepeatsAreEqual(Map<Long, List<ServedJob.End>> ends) {
    ends.forEach(
        (offset, end) -> {
          List<ActionChunk> chunks =
              end.stream().map(ServedJob.End::chunk).filter(Objects::nonNull).toList();
          assertThat(chunks)
              .as("chunks of record %d", offset)
              .allSatisfy(
                  chunk -> {
                    assertThat(chunk.getActions()).isEqualTo(chunks.getFirst().getActions());
                    assertThat(chunk.getRobot()).isEqualTo(chunks.getFirst().getRobot());
                    assertThat(chunk.getSequence()).isEqualTo(chunks.getFirst().getSequence());
                  });
        });
  }

  /** The shipped policy on a device that fails once, in its second batch. */
  private static final class BurningDevice implements PolicyLoader {
    private static final long serialVersionUID = 1L;
    private static final AtomicBoolean BURNT = new AtomicBoolean();

    @Override
    public LoadedPolicy load(EngineSpec spec) throws Exception {
      LoadedPolicy loaded = new CheckpointLoader().load(spec);
      return new LoadedPolicy(new Burning(loaded.policy()), loaded.noise(), loaded.device());
    }

    /** Everything but {@link #infer} is the policy's. */
    private static final class Burning implements ServedPolicy {
      private final ServedPolicy policy;
      private int batches;

      Burning(ServedPolicy policy) {
        this.policy = policy;
      }

      @Override
      public Inference infer(List<Sample> batch) {
        batches++;
        if (batches == 2 && BURNT.compareAndSet(false, true)) {
          throw new DeviceException("injected fault of the device");
        }
        return policy.infer(batch);
      }

      @Override
      public List<String> cameras() {
        return policy.cameras();
      }

      @Override
      public int stateDimensions() {
        return policy.stateDimensions();
      }

      @Override
      public int horizon() {
        return policy.horizon();
      }

      @Override
      public int actionDimensions() {
        return policy.actionDimensions();
      }

      @Override
      public int noiseSize() {
        return policy.noiseSize();
      }

      @Override
      public Optional<String> refusal(Observation observation) {
        return policy.refusal(observation);
      }

      @Override
      public String checkpointDigest() {
        return policy.checkpointDigest();
      }

      @Override
      public String deviceLabel() {
        return policy.deviceLabel();
      }

      @Override
      public ModelInput prepare(Observation observation) {
        return policy.prepare(observation);
      }

      @Override
      public float[] actions(float[] x, Observation observation) {
        return policy.actions(x, observation);
      }
    }
  }
}
