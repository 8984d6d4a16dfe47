package dev.pi0stream.operators.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.resource.DeviceInfo;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.source.SourcePosition;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.operators.testutils.MockEnvironment;
import org.apache.flink.runtime.operators.testutils.MockEnvironmentBuilder;
import org.apache.flink.streaming.api.datastream.AsyncDataStream;
import org.apache.flink.streaming.api.operators.async.AsyncWaitOperatorFactory;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@SuppressWarnings("try") // Closing a harness throws Exception; the test fails with it.
class PolicyFunctionTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final Frame FRAME = Frame.rgb(1, 1, new byte[] {1, 2, 3});

  private EngineSpec spec;
  private long offset;

  @BeforeEach
  void nameTheEngine(TestInfo test) {
    spec = new EngineSpec(test.getTestMethod().orElseThrow().getName(), "fake", "fp32", 4);
  }

  @Test
  void anObservationEndsInItsChunk() throws Exception {
    Outcome outcome = answer(observation("arm", 7, "lift", Map.of("top", FRAME)));
    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.CHUNK);
    assertThat(outcome.reason()).isNull();
    assertThat(outcome.source()).isEqualTo(new SourcePosition("observations", 0, 0));
    assertThat(outcome.robot()).isEqualTo("arm");
    assertThat(outcome.episode()).isEqualTo("e1");
    assertThat(outcome.sequence()).isEqualTo(7);
    Outcome.Actions chunk = outcome.chunk();
    assertThat(chunk.observedAt()).isEqualTo(Instant.EPOCH);
    assertThat(chunk.horizon()).isEqualTo(2);
    assertThat(chunk.actionDimensions()).isEqualTo(2);
    assertThat(chunk.actions()).containsExactly(7.5f, 7.5f, 7.5f, 7.5f);
    assertThat(chunk.checkpoint()).isEqualTo("digest");
    assertThat(chunk.device()).isEqualTo("fake/fp32");
    assertThat(chunk.batchSize()).isEqualTo(1);
    assertThat(chunk.queueMicros()).isNotNegative();
    assertThat(chunk.visionMicros()).isEqualTo(1000);
    assertThat(chunk.prefixMicros()).isEqualTo(2000);
    assertThat(chunk.denoiseMicros()).isEqualTo(3000);
  }

  @Test
  void whatThePolicyRefusesIsRejectedAndNotAsked() throws Exception {
    assertThat(rejection(observation("arm", 1, "refuse", Map.of("top", FRAME))))
        .isEqualTo("the prompt is unacceptable");
    assertThat(FakePolicy.of(spec).batches()).isZero();
  }

  @Test
  void whatNobodyForesawIsRejectedAndDoesNotFailTheTask() throws Exception {
    assertThat(rejection(observation("arm", 1, "puzzle", Map.of("top", FRAME))))
        .isEqualTo(
            "the observation cannot be checked: java.lang.IllegalStateException: what is this?");
  }

  @Test
  void whatTheEngineCannotPrepareIsRejected() throws Exception {
    assertThat(
            rejection(
                observation(
                    "arm",
                    1,
                    "lift",
                    Map.of("top", new Frame(Frame.Encoding.JPEG, 0, 0, new byte[1])))))
        .isEqualTo("frame of camera 'top' is corrupt");
  }

  @Test
  void aDeadlineThatHasPassedEndsAsExpired() throws Exception {
    Outcome outcome =
        answer(
            new ResolvedObservation(
                position(),
                "arm",
                "e1",
                1,
                Instant.EPOCH,
                Instant.EPOCH.plusSeconds(5),
                "lift",
                new float[3],
                Map.of("top", FRAME),
                null));
    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.EXPIRED);
    assertThat(outcome.reason())
        .isEqualTo("its deadline, 1970-01-01T00:00:05Z, passed before it was begun");
    assertThat(outcome.chunk()).isNull();
  }

  @Test
  void aNewerObservationTakesThePlaceOfTheOneThatWaits() throws Exception {
    try (var harness = harness()) {
      harness.open();
      send(harness, observation("arm", 1, "stall", Map.of("top", FRAME)));
      while (FakePolicy.of(spec).batches() == 0) {
        Thread.sleep(1);
      }
      send(harness, observation("arm", 2, "lift", Map.of("top", FRAME)));
      send(harness, observation("arm", 3, "lift", Map.of("top", FRAME)));
      FakePolicy.of(spec).release();
      harness.endInput();
      List<Outcome> outcomes = harness.extractOutputValues();
      assertThat(outcomes)
          .extracting(outcome -> outcome.sequence() + " " + outcome.kind())
          .containsExactlyInAnyOrder("1 CHUNK", "2 SUPERSEDED", "3 CHUNK");
      assertThat(outcomes)
          .filteredOn(outcome -> outcome.kind() == Outcome.Kind.SUPERSEDED)
          .extracting(Outcome::reason)
          .containsExactly("sequence 3 of episode 'e1' took its place while it waited");
    }
  }

  @Test
  void whatHasNoAnswerWithinTheTimeoutEndsAsExpired() throws Exception {
    try (var harness = harness()) {
      harness.open();
      harness.setProcessingTime(0);
      send(harness, observation("arm", 1, "stall", Map.of("top", FRAME)));
      harness.setProcessingTime(TIMEOUT.toMillis() + 1);
      harness.endInput();
      assertThat(harness.extractOutputValues())
          .singleElement()
          .satisfies(
              outcome -> {
                assertThat(outcome.kind()).isEqualTo(Outcome.Kind.EXPIRED);
                assertThat(outcome.reason())
                    .isEqualTo("no chunk within the 5.0 s that the job waits for one");
              });
      FakePolicy.of(spec).release();
    }
  }

  @Test
  void anAnswerAfterTheTimeoutIsNoSecondOutcome() throws Exception {
    try (var harness = harness()) {
      harness.open();
      harness.setProcessingTime(0);
      send(harness, observation("arm", 1, "stall", Map.of("top", FRAME)));
      while (FakePolicy.of(spec).batches() == 0) {
        Thread.sleep(1);
      }
      harness.setProcessingTime(TIMEOUT.toMillis() + 1);
      FakePolicy.of(spec).release();
      // Its batch comes after that of the arm, so that the arm's answer is there when it has one.
      send(harness, observation("leg", 2, "lift", Map.of("top", FRAME)));
      harness.endInput();
      assertThat(harness.extractOutputValues())
          .extracting(outcome -> outcome.robot() + " " + outcome.kind())
          .containsExactlyInAnyOrder("arm EXPIRED", "leg CHUNK");
    }
  }

  @Test
  void anAnswerThatRacesWithTheTimeoutIsOneOutcome() throws Exception {
    long races = 500;
    try (var harness = harness()) {
      harness.open();
      for (long race = 0; race < races; race++) {
        harness.setProcessingTime(race * 2L * TIMEOUT.toMillis());
        send(harness, observation("arm " + race, 1, "lift", Map.of("top", FRAME)));
        // From long before the answer to long after it.
        long end = System.nanoTime() + race * 1000;
        while (System.nanoTime() < end) {
          Thread.onSpinWait();
        }
        harness.setProcessingTime((race * 2 + 1) * TIMEOUT.toMillis() + 1);
      }
      harness.endInput();
      assertThat(harness.extractOutputValues())
          .extracting(outcome -> outcome.source().offset())
          .containsExactlyInAnyOrderElementsOf(LongStream.range(0, races).boxed().toList());
      assertThat(harness.extractOutputValues())
          .extracting(Outcome::kind)
          .isSubsetOf(Outcome.Kind.CHUNK, Outcome.Kind.EXPIRED);
    }
  }

  @Test
  void aFaultOfTheDeviceFailsTheTask() throws Exception {
    try (var harness = harness()) {
      harness.getEnvironment().setExpectedExternalFailureCause(Throwable.class);
      harness.open();
      send(harness, observation("arm", 1, "fault", Map.of("top", FRAME)));
      harness.endInput();
      assertThat(harness.getEnvironment().getActualExternalFailureCause())
          .hasValueSatisfying(
              fault -> assertThat(fault).hasStackTraceContaining("the device is on fire"));
      assertThat(harness.extractOutputValues()).isEmpty();
    }
  }

  @Test
  void anUnusableCheckpointIsNotTriedAgain() throws Exception {
    spec = new EngineSpec("unusable", "fake", "fp32", 4);
    try (var harness = harness()) {
      assertThatThrownBy(harness::open)
          .isInstanceOf(SuppressRestartsException.class)
          .hasStackTraceContaining("has no weights");
    }
  }

  @Test
  void whatWasInFlightIsAskedAgainAfterARestartAndAnsweredTheSame() throws Exception {
    OperatorSubtaskState snapshot;
    try (var harness = harness()) {
      harness.open();
      send(harness, observation("arm", 1, "stall", Map.of("top", FRAME)));
      send(harness, observation("leg", 2, "stall", Map.of("top", FRAME)));
      snapshot = harness.snapshot(1, 1);
      assertThat(harness.extractOutputValues()).isEmpty();
    }
    FakePolicy.of(spec).release();
    try (var restored = harness()) {
      restored.initializeState(snapshot);
      restored.open();
      restored.endInput();
      assertThat(restored.extractOutputValues())
          .extracting(outcome -> outcome.robot() + " " + outcome.chunk().actions()[0])
          .containsExactlyInAnyOrder("arm 1.5", "leg 2.5");
    }
    assertThat(FakePolicy.of(spec).loads()).isEqualTo(1);
    assertThat(FakePolicy.of(spec).closes()).isZero();
  }

  @Test
  void theTaskTakesADeviceOfFlinksExternalResourceAndFindsItAgain() throws Exception {
    Set<ExternalResourceInfo> devices =
        Set.of(new DeviceInfo("fake", 3), new DeviceInfo("fake", 1));
    for (int attempt = 0; attempt < 2; attempt++) {
      MockEnvironment environment =
          new MockEnvironmentBuilder()
              .setExternalResourceInfoProvider(name -> name.equals("fake") ? devices : Set.of())
              .build();
      try (environment;
          var harness = harness(environment)) {
        harness.open();
        send(harness, observation("arm", attempt, "lift", Map.of("top", FRAME)));
        harness.endInput();
        assertThat(harness.extractOutputValues()).hasSize(1);
      }
    }
    assertThat(FakePolicy.of(spec).devices()).containsExactly("fake:1");
  }

  @Test
  void withoutAResourceTheTaskTakesOneOfTheSpecificationsDevices() throws Exception {
    spec = spec.on("fake:7,fake:8");
    answer(observation("arm", 1, "lift", Map.of("top", FRAME)));
    assertThat(FakePolicy.of(spec).devices()).containsExactly("fake:7");
  }

  private Outcome answer(ResolvedObservation observation) throws Exception {
    try (var harness = harness()) {
      harness.open();
      send(harness, observation);
      harness.endInput();
      assertThat(harness.extractOutputValues()).hasSize(1);
      return harness.extractOutputValues().getFirst();
    }
  }

  private String rejection(ResolvedObservation observation) throws Exception {
    Outcome outcome = answer(observation);
    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.REJECTED);
    assertThat(outcome.chunk()).isNull();
    return outcome.reason();
  }

  private static void send(
      OneInputStreamOperatorTestHarness<ResolvedObservation, Outcome> harness,
      ResolvedObservation observation)
      throws Exception {
    harness.processElement(new StreamRecord<>(observation));
  }

  private OneInputStreamOperatorTestHarness<ResolvedObservation, Outcome> harness()
      throws Exception {
    return setUp(
        new OneInputStreamOperatorTestHarness<>(operator(), serializer(ResolvedObservation.class)));
  }

  private OneInputStreamOperatorTestHarness<ResolvedObservation, Outcome> harness(
      MockEnvironment environment) throws Exception {
    return setUp(
        new OneInputStreamOperatorTestHarness<>(
            operator(), serializer(ResolvedObservation.class), environment));
  }

  private static OneInputStreamOperatorTestHarness<ResolvedObservation, Outcome> setUp(
      OneInputStreamOperatorTestHarness<ResolvedObservation, Outcome> harness) {
    harness.setup(serializer(Outcome.class));
    return harness;
  }

  private AsyncWaitOperatorFactory<ResolvedObservation, Outcome> operator() {
    return new AsyncWaitOperatorFactory<>(
        new PolicyFunction(spec, FakePolicy::load, TIMEOUT),
        TIMEOUT.toMillis(),
        16,
        AsyncDataStream.OutputMode.UNORDERED);
  }

  private static <T> TypeSerializer<T> serializer(Class<T> type) {
    return TypeInformation.of(type).createSerializer(new SerializerConfigImpl());
  }

  private ResolvedObservation observation(
      String robot, long sequence, String prompt, Map<String, Frame> frames) {
    float[] state = {0.5f, 0, 0};
    return new ResolvedObservation(
        position(), robot, "e1", sequence, Instant.EPOCH, null, prompt, state, frames, null);
  }

  private SourcePosition position() {
    return new SourcePosition("observations", 0, offset++);
  }
}
