package dev.pi0stream.operators.observation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.pi0stream.model.image.Frame;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.ChunkInExecution;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ObservationDecoderTest {
  private final ObservationDecoder decoder =
      new ObservationDecoder(new ObservationLimits(32, 100, 4, 6, 3, 1000));

  @Test
  void theChunkInExecutionIsTakenAsItWasSent() throws Exception {
    RobotObservation sent = Sent.observation();
    sent.setExecution(new ChunkInExecution(List.of(1f, 2f, 3f), 2, 5));
    DecodedObservation observation = decoder.decode(Sent.record(sent));
    assertThat(observation.defect()).isNull();
    assertThat(observation.execution().remaining()).containsExactly(1, 2, 3);
    assertThat(observation.execution().delay()).isEqualTo(2);
    assertThat(observation.execution().executionHorizon()).isEqualTo(5);
  }

  @Test
  void aChunkInExecutionThatCannotBeIsADefect() throws Exception {
    assertThat(executionDefect(new ChunkInExecution(List.of(1f), -1, 5)))
        .isEqualTo("execution.delay is -1: expected 0 or more");
    assertThat(executionDefect(new ChunkInExecution(List.of(1f), 1, -5)))
        .isEqualTo("execution.executionHorizon is -5: expected 0 or more");
    assertThat(executionDefect(new ChunkInExecution(List.of(1f, Float.NaN), 1, 5)))
        .isEqualTo("execution.remaining[1] is NaN: expected a finite number");
    assertThat(executionDefect(new ChunkInExecution(Collections.nCopies(7, 1f), 1, 5)))
        .isEqualTo("execution.remaining has 7 numbers: expected at most 6");
  }

  private String executionDefect(ChunkInExecution execution) throws Exception {
    RobotObservation sent = Sent.observation();
    sent.setExecution(execution);
    return decoder.decode(Sent.record(sent)).defect();
  }

  @Test
  void aSoundObservationIsTakenAsItWasSent() throws Exception {
    DecodedObservation observation = decoder.decode(Sent.record(Sent.observation()));
    assertThat(observation.defect()).isNull();
    assertThat(observation.source()).hasToString("observations/3@42");
    assertThat(observation.robot()).isEqualTo("arm");
    assertThat(observation.episode()).isEqualTo("e1");
    assertThat(observation.sequence()).isEqualTo(7);
    assertThat(observation.observedAt()).isEqualTo(Instant.EPOCH.plusSeconds(100));
    assertThat(observation.deadline()).isEqualTo(Instant.EPOCH.plusSeconds(101));
    assertThat(observation.prompt()).isEqualTo("put the red block on the white tray");
    assertThat(observation.promptRefused()).isFalse();
    assertThat(observation.state()).containsExactly(0.25f, -1f, 3e7f);
    assertThat(observation.same()).isEmpty();
    assertThat(observation.framesRefused()).isEmpty();
    assertThat(observation.frames()).containsOnlyKeys("top", "wrist");
    Frame top = observation.frames().get("top");
    assertThat(top.encoding()).isEqualTo(Frame.Encoding.RGB8);
    assertThat(top.width()).isEqualTo(2);
    assertThat(top.height()).isEqualTo(1);
    assertThat(top.data()).containsExactly(10, 10, 10, 10, 10, 10);
  }

  @Test
  void framesThatAreTheSameAreNamed() throws Exception {
    RobotObservation sent = Sent.observation();
    sent.setFrames(List.of(Sent.same("wrist"), Sent.rgb("top", 1, 1, (byte) 1)));
    DecodedObservation observation = decoder.decode(Sent.record(sent));
    assertThat(observation.defect()).isNull();
    assertThat(observation.same()).containsExactly("wrist");
    assertThat(observation.frames()).containsOnlyKeys("top");
  }

  @Test
  void aRecordWithoutValueIsUnreadable() {
    assertThatThrownBy(() -> decoder.decode(Sent.record((byte[]) null)))
        .isInstanceOf(UnreadableObservationException.class)
        .hasMessage("record has no value: expected an observation");
  }

  @Test
  void garbageIsUnreadable() {
    assertThatThrownBy(
            () -> decoder.decode(Sent.record("garbage bytes".getBytes(StandardCharsets.UTF_8))))
        .isInstanceOf(UnreadableObservationException.class)
        .hasMessage(
            "message begins with 67 61: expected c3 01, the marker of Avro's single-object encoding");
  }

  @Test
  void anUnknownSchemaIsUnreadable() {
    byte[] message = WireFormat.observations().encode(Sent.observation());
    message[5] ^= 1;
    assertThatThrownBy(() -> decoder.decode(Sent.record(message)))
        .isInstanceOf(UnreadableObservationException.class)
        .hasMessageMatching(
            "message was written with the schema of fingerprint [0-9a-f]{16}: expected a RobotObservation, [0-9a-f]{16} or [0-9a-f]{16}");
  }

  @Test
  void aRobotWithoutNameIsUnreadableButKeepsWhatIsKnown() {
    RobotObservation sent = Sent.observation();
    sent.setRobot("");
    UnreadableObservationException e = unreadable(sent);
    assertThat(e).hasMessage("name of the robot is empty");
    assertThat(e.robot()).isNull();
    assertThat(e.episode()).isEqualTo("e1");
    assertThat(e.sequence()).isEqualTo(7);
  }

  @Test
  void anEpisodeWithoutNameIsUnreadable() {
    RobotObservation sent = Sent.observation();
    sent.setEpisode("");
    UnreadableObservationException e = unreadable(sent);
    assertThat(e).hasMessage("name of the episode is empty");
    assertThat(e.robot()).isEqualTo("arm");
    assertThat(e.episode()).isNull();
  }

  @Test
  void namesAreBounded() {
    RobotObservation sent = Sent.observation();
    sent.setRobot("ü".repeat(17));
    assertThat(unreadable(sent)).hasMessage("name of the robot has 34 bytes: expected at most 32");
  }

  @Test
  void namesThatAreNotUtf8AreRefused() {
    byte[] message = WireFormat.observations().encode(Sent.observation());
    // Header, the name's length, "arm".
    assertThat(message[11]).isEqualTo((byte) 'a');
    message[11] = (byte) 0xFF;
    assertThatThrownBy(() -> decoder.decode(Sent.record(message)))
        .isInstanceOf(UnreadableObservationException.class)
        .hasMessage("name of the robot is not UTF-8 at character 0");
  }

  @Test
  void aNegativeSequenceIsUnreadable() {
    RobotObservation sent = Sent.observation();
    sent.setSequence(-1);
    assertThat(unreadable(sent)).hasMessage("sequence is -1: expected 0 or more");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void aStateThatIsNotFiniteIsADefect(float number) {
    assertThat(defect(sent -> sent.setState(List.of(1f, number, 2f))))
        .isEqualTo("state[1] is %s: expected a finite number", number);
  }

  @Test
  void aHugeStateIsADefect() {
    assertThat(defect(sent -> sent.setState(List.of(1f, 2f, 3f, 4f, 5f))))
        .isEqualTo("state has 5 numbers: expected at most 4");
  }

  @Test
  void aPromptOf100KilobytesIsADefect() throws Exception {
    RobotObservation sent = Sent.observation();
    sent.setPrompt("x".repeat(100_000));
    DecodedObservation observation = decoder.decode(Sent.record(sent));
    assertThat(observation.defect()).isEqualTo("prompt has 100,000 bytes: expected at most 100");
    assertThat(observation.prompt()).isNull();
    assertThat(observation.promptRefused()).isTrue();
  }

  @Test
  void aBlankPromptIsADefect() {
    assertThat(defect(sent -> sent.setPrompt(" \n")))
        .isEqualTo("prompt is blank: expected an instruction, or null for the episode's last one");
  }

  @Test
  void aPromptThatIsNotUtf8IsADefect() {
    assertThat(defect(sent -> sent.setPrompt("put\uFFFD")))
        .isEqualTo("prompt is not UTF-8 at character 3");
  }

  @Test
  void twoFramesOfACameraAreADefectAndNeitherIsKept() throws Exception {
    RobotObservation sent = Sent.observation();
    sent.setFrames(List.of(Sent.rgb("top", 1, 1, (byte) 1), Sent.rgb("top", 1, 1, (byte) 2)));
    DecodedObservation observation = decoder.decode(Sent.record(sent));
    assertThat(observation.defect())
        .isEqualTo("camera 'top' has more than one frame: expected one");
    assertThat(observation.frames()).isEmpty();
    assertThat(observation.framesRefused()).containsExactly("top");
  }

  @Test
  void aThirdFrameOfACameraIsNotTakenEither() throws Exception {
    RobotObservation sent = Sent.observation();
    sent.setFrames(Collections.nCopies(3, Sent.rgb("top", 1, 1, (byte) 1)));
    DecodedObservation observation = decoder.decode(Sent.record(sent));
    assertThat(observation.frames()).isEmpty();
    assertThat(observation.framesRefused()).containsExactly("top");
  }

  @Test
  void tooManyFramesAreADefect() {
    assertThat(
            defect(
                sent -> {
                  List<CameraFrame> frames = new ArrayList<>();
                  for (int i = 0; i < 4; i++) {
                    frames.add(Sent.rgb("camera" + i, 1, 1, (byte) 1));
                  }
                  sent.setFrames(frames);
                }))
        .isEqualTo("observation has 4 frames: expected at most 3");
  }

  @Test
  void aCameraWithoutNameIsADefect() {
    assertThat(defect(sent -> sent.setFrames(List.of(Sent.rgb("", 1, 1, (byte) 1)))))
        .isEqualTo("name of the camera is empty");
  }

  @Test
  void framesAreBounded() {
    assertThat(frameDefect(FrameEncoding.JPEG, 0, 0, 1001))
        .isEqualTo("frame of camera 'top' has 1,001 bytes: expected at most 1,000");
  }

  @Test
  void rawFramesHaveExactlyTheirPixels() {
    assertThat(frameDefect(FrameEncoding.RGB8, 2, 2, 11))
        .isEqualTo("frame of camera 'top' is 2 × 2 and has 11 bytes: expected 12");
    assertThat(frameDefect(FrameEncoding.RGB8, 60_000, 60_000, 12))
        .isEqualTo(
            "frame of camera 'top' is 60000 × 60000 and has 12 bytes: expected 10,800,000,000");
    assertThat(frameDefect(FrameEncoding.RGB8, Integer.MAX_VALUE, Integer.MAX_VALUE, 12))
        .startsWith("frame of camera 'top' is 2147483647 × 2147483647 and has 12 bytes");
    assertThat(frameDefect(FrameEncoding.RGB8, 0, 2, 0))
        .isEqualTo("frame of camera 'top' is 0 × 2: expected 1 or more columns and rows");
    assertThat(frameDefect(FrameEncoding.RGB8, -2, -2, 12))
        .isEqualTo("frame of camera 'top' is -2 × -2: expected 1 or more columns and rows");
  }

  @Test
  void encodedFramesHaveBytesAndClaimNoSize() {
    assertThat(frameDefect(FrameEncoding.JPEG, 0, 0, 0))
        .isEqualTo("frame of camera 'top' is JPEG and has no bytes");
    assertThat(frameDefect(FrameEncoding.PNG, 4, 0, 9))
        .isEqualTo(
            "frame of camera 'top' is PNG and claims 4 × 0: expected 0 × 0 for all but RGB8");
    assertThat(frameDefect(FrameEncoding.SAME, 0, 0, 9))
        .isEqualTo("frame of camera 'top' is SAME and has 9 bytes: expected none");
  }

  @Test
  void randomMutationsOfAMessageAreReadOrRefused() {
    Random random = new Random(5);
    byte[] message = WireFormat.observations().encode(Sent.observation());
    int read = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] mutated = message.clone();
      mutated[10 + random.nextInt(mutated.length - 10)] = (byte) random.nextInt();
      mutated[10 + random.nextInt(mutated.length - 10)] = (byte) random.nextInt();
      try {
        read += decoder.decode(Sent.record(mutated)).robot().length();
      } catch (UnreadableObservationException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
    assertThat(read).isPositive();
  }

  private UnreadableObservationException unreadable(RobotObservation sent) {
    return catchThrowableOfType(
        UnreadableObservationException.class, () -> decoder.decode(Sent.record(sent)));
  }

  private String defect(Consumer<RobotObservation> spoil) {
    RobotObservation sent = Sent.observation();
    spoil.accept(sent);
    try {
      return decoder.decode(Sent.record(sent)).defect();
    } catch (UnreadableObservationException e) {
      throw new AssertionError(e);
    }
  }

  private String frameDefect(FrameEncoding encoding, int width, int height, int bytes) {
    return defect(
        sent ->
            sent.setFrames(
                List.of(
                    new CameraFrame(
                        "top", encoding, width, height, ByteBuffer.wrap(new byte[bytes])))));
  }
}
