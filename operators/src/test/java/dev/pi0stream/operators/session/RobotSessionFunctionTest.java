package dev.pi0stream.operators.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.observation.Sent;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.RobotObservation;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // Closing a harness throws Exception; the test fails with it.
class RobotSessionFunctionTest {
  private static final Duration TIME_TO_LIVE = Duration.ofMinutes(10);

  private KeyedOneInputStreamOperatorTestHarness<String, DecodedObservation, ResolvedObservation>
      harness;

  @BeforeEach
  void open() throws Exception {
    harness = harness(1, 0);
    harness.open();
  }

  @AfterEach
  void close() throws Exception {
    harness.close();
  }

  @Test
  void laterObservationsInheritThePrompt() throws Exception {
    send(observation("e1", 0, "lift", rgb("top", 1)));
    send(observation("e1", 1, null, rgb("top", 2)));
    send(observation("e1", 2, "drop", rgb("top", 3)));
    send(observation("e1", 5, null, rgb("top", 4)));
    assertThat(harness.extractOutputValues())
        .extracting(ResolvedObservation::prompt)
        .containsExactly("lift", "lift", "drop", "drop");
    assertThat(ended()).isEmpty();
  }

  @Test
  void theFirstObservationOfAnEpisodeMustHaveAPrompt() throws Exception {
    send(observation("e1", 0, null, rgb("top", 1)));
    assertThat(harness.extractOutputValues()).isEmpty();
    assertThat(ended())
        .singleElement()
        .satisfies(
            outcome -> {
              assertThat(outcome.kind()).isEqualTo(Outcome.Kind.REJECTED);
              assertThat(outcome.reason())
                  .isEqualTo(
                      "observation has no prompt and episode 'e1' has none to inherit: expected one in an episode's first observation, and after one that was refused");
              assertThat(outcome.robot()).isEqualTo("arm");
              assertThat(outcome.episode()).isEqualTo("e1");
              assertThat(outcome.sequence()).isZero();
              assertThat(outcome.source()).hasToString("observations/3@42");
            });
  }

  @Test
  void anotherEpisodeInheritsNothing() throws Exception {
    send(observation("e1", 5, "lift", rgb("top", 1)));
    send(observation("e2", 0, null, rgb("top", 1)));
    send(observation("e2", 1, "drop", Sent.same("wrist")));
    assertThat(harness.extractOutputValues()).hasSize(1);
    assertThat(ended())
        .extracting(Outcome::reason)
        .containsExactly(
            "observation has no prompt and episode 'e2' has none to inherit: expected one in an episode's first observation, and after one that was refused",
            "frame of camera 'wrist' is SAME: expected an earlier frame of it in episode 'e2'");
  }

  @Test
  void robotsDoNotShareSessions() throws Exception {
    send(observation("e1", 5, "lift", rgb("top", 1)));
    RobotObservation other = observation("e1", 5, null, rgb("top", 1));
    other.setRobot("leg");
    send(other);
    assertThat(harness.extractOutputValues()).hasSize(1);
    assertThat(ended()).extracting(Outcome::robot).containsExactly("leg");
  }

  @Test
  void aFrameThatIsTheSameIsTheLastOneOfItsCamera() throws Exception {
    send(observation("e1", 0, "lift", rgb("top", 1), rgb("wrist", 2)));
    send(observation("e1", 1, null, rgb("top", 3), Sent.same("wrist")));
    send(observation("e1", 2, null, Sent.same("top"), Sent.same("wrist")));
    assertThat(pixels()).containsExactly("top=1 wrist=2", "top=3 wrist=2", "top=3 wrist=2");
  }

  @Test
  void aCameraThatIsNotSentIsMissing() throws Exception {
    send(observation("e1", 0, "lift", rgb("top", 1), rgb("wrist", 2)));
    send(observation("e1", 1, null, rgb("top", 3)));
    send(observation("e1", 2, null, rgb("top", 4), Sent.same("wrist")));
    assertThat(pixels()).containsExactly("top=1 wrist=2", "top=3", "top=4 wrist=2");
  }

  @Test
  void theSameFrameWithoutAnEarlierOneIsRejected() throws Exception {
    send(observation("e1", 0, "lift", rgb("top", 1), Sent.same("wrist")));
    assertThat(ended())
        .singleElement()
        .satisfies(
            outcome -> {
              assertThat(outcome.kind()).isEqualTo(Outcome.Kind.REJECTED);
              assertThat(outcome.reason())
                  .isEqualTo(
                      "frame of camera 'wrist' is SAME: expected an earlier frame of it in episode 'e1'");
            });
  }

  @Test
  void aRepeatIsSuperseded() throws Exception {
    send(observation("e1", 4, "lift", rgb("top", 1)));
    send(observation("e1", 4, "lift", rgb("top", 1)));
    assertThat(harness.extractOutputValues()).hasSize(1);
    assertThat(ended())
        .singleElement()
        .satisfies(
            outcome -> {
              assertThat(outcome.kind()).isEqualTo(Outcome.Kind.SUPERSEDED);
              assertThat(outcome.reason())
                  .isEqualTo(
                      "sequence 4 of episode 'e1' came again: its first record has the outcome");
            });
  }

  @Test
  void whatComesOutOfOrderIsSupersededAndTeachesNothing() throws Exception {
    send(observation("e1", 4, "lift", rgb("top", 1)));
    send(observation("e1", 3, "drop", rgb("top", 2)));
    send(observation("e1", 5, null, Sent.same("top")));
    assertThat(pixels()).containsExactly("top=1", "top=1");
    assertThat(harness.extractOutputValues().getLast().prompt()).isEqualTo("lift");
    assertThat(ended())
        .singleElement()
        .satisfies(
            outcome -> {
              assertThat(outcome.kind()).isEqualTo(Outcome.Kind.SUPERSEDED);
              assertThat(outcome.reason()).isEqualTo("sequence 3 of episode 'e1' came after 4");
            });
  }

  @Test
  void whatStillComesFromTheEpisodeBeforeIsSuperseded() throws Exception {
    send(observation("e1", 4, "lift", rgb("top", 1)));
    send(observation("e2", 0, "drop", rgb("top", 2)));
    send(observation("e1", 5, null, rgb("top", 3)));
    send(observation("e2", 1, null, Sent.same("top")));
    assertThat(pixels()).containsExactly("top=1", "top=2", "top=2");
    assertThat(ended())
        .singleElement()
        .satisfies(
            outcome -> {
              assertThat(outcome.kind()).isEqualTo(Outcome.Kind.SUPERSEDED);
              assertThat(outcome.reason()).isEqualTo("episode 'e1' was followed by 'e2'");
            });
  }

  @Test
  void aDefectIsRejectedWithItsSentence() throws Exception {
    RobotObservation sent = observation("e1", 0, "lift", rgb("top", 1));
    sent.setState(List.of(Float.NaN));
    send(sent);
    assertThat(harness.extractOutputValues()).isEmpty();
    assertThat(ended())
        .extracting(Outcome::kind, Outcome::reason)
        .containsExactly(tuple(Outcome.Kind.REJECTED, "state[0] is NaN: expected a finite number"));
  }

  @Test
  void aRejectedObservationStillTeachesItsFramesAndPrompt() throws Exception {
    RobotObservation sent = observation("e1", 0, "lift", rgb("top", 1));
    sent.setState(List.of(Float.NaN));
    send(sent);
    send(observation("e1", 1, null, Sent.same("top")));
    assertThat(pixels()).containsExactly("top=1");
    assertThat(harness.extractOutputValues().getLast().prompt()).isEqualTo("lift");
  }

  @Test
  void nothingOlderIsTakenForAFrameThatWasRefused() throws Exception {
    send(observation("e1", 0, "lift", rgb("top", 1)));
    CameraFrame spoilt = rgb("top", 2);
    spoilt.setData(ByteBuffer.wrap(new byte[1]));
    send(observation("e1", 1, null, spoilt));
    send(observation("e1", 2, null, Sent.same("top")));
    assertThat(pixels()).containsExactly("top=1");
    assertThat(ended())
        .extracting(Outcome::reason)
        .containsExactly(
            "frame of camera 'top' is 1 × 1 and has 1 bytes: expected 3",
            "frame of camera 'top' is SAME: expected an earlier frame of it in episode 'e1'");
  }

  @Test
  void nothingOlderIsTakenForAPromptThatWasRefused() throws Exception {
    send(observation("e1", 0, "lift", rgb("top", 1)));
    send(observation("e1", 1, "x".repeat(100_000), rgb("top", 1)));
    send(observation("e1", 2, null, rgb("top", 1)));
    send(observation("e1", 3, "drop", rgb("top", 1)));
    assertThat(harness.extractOutputValues())
        .extracting(ResolvedObservation::prompt)
        .containsExactly("lift", "drop");
    assertThat(ended())
        .extracting(Outcome::reason)
        .containsExactly(
            "prompt has 100,000 bytes: expected at most 8,192",
            "observation has no prompt and episode 'e1' has none to inherit: expected one in an episode's first observation, and after one that was refused");
  }

  @Test
  void sessionsSurviveARestoreIntoAnotherParallelism() throws Exception {
    List<String> robots = List.of("a", "b", "c", "d", "e", "f", "g", "h");
    for (String robot : robots) {
      RobotObservation sent = observation("e1", 3, "lift " + robot, rgb("top", robot.charAt(0)));
      sent.setRobot(robot);
      send(sent);
    }
    OperatorSubtaskState snapshot = harness.snapshot(1, 1);
    List<ResolvedObservation> resolved = new ArrayList<>();
    List<Outcome> ended = new ArrayList<>();
    for (int subtask = 0; subtask < 2; subtask++) {
      try (var restored = harness(2, subtask)) {
        restored.setup();
        restored.initializeState(
            KeyedOneInputStreamOperatorTestHarness.repartitionOperatorState(
                snapshot, MAX_PARALLELISM, 1, 2, subtask));
        restored.open();
        for (String robot : robots) {
          int owner =
              KeyGroupRangeAssignment.assignKeyToParallelOperator(robot, MAX_PARALLELISM, 2);
          if (owner == subtask) {
            RobotObservation repeat = observation("e1", 3, null, rgb("top", 0));
            repeat.setRobot(robot);
            restored.processElement(new StreamRecord<>(Sent.decoded(repeat)));
            RobotObservation next = observation("e1", 4, null, Sent.same("top"));
            next.setRobot(robot);
            restored.processElement(new StreamRecord<>(Sent.decoded(next)));
          }
        }
        resolved.addAll(restored.extractOutputValues());
        ended.addAll(ended(restored));
      }
    }
    assertThat(resolved)
        .extracting(observation -> observation.robot() + " " + observation.prompt())
        .containsExactlyInAnyOrderElementsOf(
            robots.stream().map(robot -> robot + " lift " + robot).toList());
    assertThat(resolved)
        .allSatisfy(
            observation ->
                assertThat(observation.frames().get("top").data()[0])
                    .isEqualTo((byte) observation.robot().charAt(0)));
    assertThat(ended).hasSize(8).allMatch(outcome -> outcome.kind() == Outcome.Kind.SUPERSEDED);
  }

  @Test
  void aSilentRobotIsForgotten() throws Exception {
    harness.setStateTtlProcessingTime(0);
    send(observation("e1", 0, "lift", rgb("top", 1)));
    harness.setStateTtlProcessingTime(TIME_TO_LIVE.toMillis() - 1);
    send(observation("e1", 1, null, Sent.same("top")));
    harness.setStateTtlProcessingTime(2 * TIME_TO_LIVE.toMillis() - 2);
    send(observation("e1", 2, null, Sent.same("top")));
    assertThat(harness.extractOutputValues()).hasSize(3);
    harness.setStateTtlProcessingTime(3 * TIME_TO_LIVE.toMillis());
    send(observation("e1", 3, null, Sent.same("top")));
    assertThat(harness.extractOutputValues()).hasSize(3);
    assertThat(ended()).hasSize(1);
  }

  private static final int MAX_PARALLELISM = 128;

  private static KeyedOneInputStreamOperatorTestHarness<
          String, DecodedObservation, ResolvedObservation>
      harness(int parallelism, int subtask) throws Exception {
    var harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new KeyedProcessOperator<>(new RobotSessionFunction(TIME_TO_LIVE)),
            DecodedObservation::robot,
            Types.STRING,
            MAX_PARALLELISM,
            parallelism,
            subtask);
    harness.setup(
        TypeInformation.of(ResolvedObservation.class)
            .createSerializer(harness.getExecutionConfig().getSerializerConfig()));
    return harness;
  }

  private void send(RobotObservation sent) throws Exception {
    harness.processElement(new StreamRecord<>(Sent.decoded(sent)));
  }

  private List<Outcome> ended() {
    return ended(harness);
  }

  private static List<Outcome> ended(KeyedOneInputStreamOperatorTestHarness<String, ?, ?> harness) {
    var records = harness.getSideOutput(RobotSessionFunction.ENDED);
    return records == null ? List.of() : records.stream().map(StreamRecord::getValue).toList();
  }

  /** The first byte of each frame, observation by observation. */
  private List<String> pixels() {
    return harness.extractOutputValues().stream()
        .map(
            observation ->
                observation.frames().entrySet().stream()
                    .map(frame -> frame.getKey() + "=" + frame.getValue().data()[0])
                    .sorted()
                    .reduce((a, b) -> a + " " + b)
                    .orElse(""))
        .toList();
  }

  private static RobotObservation observation(
      String episode, long sequence, String prompt, CameraFrame... frames) {
    RobotObservation sent = Sent.observation();
    sent.setEpisode(episode);
    sent.setSequence(sequence);
    sent.setPrompt(prompt);
    sent.setFrames(List.of(frames));
    return sent;
  }

  private static CameraFrame rgb(String camera, int value) {
    return Sent.rgb(camera, 1, 1, (byte) value);
  }
}
