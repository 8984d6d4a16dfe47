package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.ChunkInExecution;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The whole job, from a broker to a broker, with the shipped policy. */
@Timeout(240)
class PolicyJobITCase {
  private static final EngineSpec ENGINE = PolicyJobSettings.engine("reference");

  private static ServedJob job;

  @BeforeAll
  static void start() throws Exception {
    job =
        ServedJob.usual(
            PolicyJobSettings.of(ENGINE, Duration.ofSeconds(1), new CheckpointLoader()));
  }

  @AfterAll
  static void stop() throws Exception {
    job.close();
  }

  @Test
  void aChunkOnTheTopicEqualsWhatTheModelComputesDirectly() throws Exception {
    RobotObservation first = RobotMessages.observation("direct", "e1", 0);
    RobotObservation second = RobotMessages.observation("direct", "e1", 1);
    CameraFrame jpeg =
        RobotMessages.encoded("top", FrameEncoding.JPEG, RobotMessages.picture("jpeg"));
    CameraFrame png =
        RobotMessages.encoded("wrist", FrameEncoding.PNG, RobotMessages.picture("png"));
    RobotObservation third = RobotMessages.observation("direct", "e1", 2);
    third.setFrames(List.of(jpeg, RobotMessages.same("wrist")));
    RobotObservation fourth = RobotMessages.observation("direct", "e1", 3);
    fourth.setFrames(List.of(png));

    LoadedPolicy direct = new CheckpointLoader().load(ENGINE);
    try (AutoCloseable _ = direct.device()) {
      assertThat(served(first)).containsExactly(actions(direct, first, first.getFrames()));
      assertThat(served(second)).containsExactly(actions(direct, second, second.getFrames()));
      assertThat(served(third))
          .containsExactly(actions(direct, third, List.of(jpeg, second.getFrames().getLast())));
      assertThat(served(fourth)).containsExactly(actions(direct, fourth, List.of(png)));
    }
  }

  @Test
  void withRealTimeChunkingAChunkIsHeldToTheOneInExecution() throws Exception {
    RobotObservation free = RobotMessages.observation("held", "e1", 0);
    ActionChunk first = job.only(job.send(free)).chunk();
    assertThat(first.getExecuteFrom()).isZero();

    int executed = 4;
    int delay = 2;
    int columns = first.getActionDimensions();
    RobotObservation held = RobotMessages.observation("held", "e1", 1);
    held.setExecution(
        new ChunkInExecution(
            first.getActions().subList(executed * columns, first.getActions().size()), delay, 8));
    ActionChunk second = job.only(job.send(held)).chunk();
    assertThat(second.getExecuteFrom()).isEqualTo(delay);

    LoadedPolicy direct = new CheckpointLoader().load(ENGINE);
    try (AutoCloseable _ = direct.device()) {
      float[] expected = actions(direct, held, held.getFrames());
      assertThat(numbers(second)).containsExactly(expected);
      held.setExecution(null);
      float[] alone = actions(direct, held, held.getFrames());
      assertThat(distance(numbers(second), first, executed, delay))
          .as("distance of the first steps to those in execution")
          .isLessThan(0.5 * distance(alone, first, executed, delay));
    }
  }

  @Test
  void aChunkInExecutionThatDoesNotFitThePolicyIsRejected() throws Exception {
    RobotObservation odd = RobotMessages.observation("odd", "e1", 0);
    odd.setExecution(new ChunkInExecution(List.of(1f, 2f), 0, 8));
    assertThat(job.only(job.send(odd)).outcome().getReason())
        .isEqualTo("the rest of the chunk in execution has 2 numbers: expected 3 for each step");
    RobotObservation late = RobotMessages.observation("late-chunk", "e1", 0);
    late.setExecution(new ChunkInExecution(List.of(1f, 2f, 3f), 16, 8));
    assertThat(job.only(job.send(late)).outcome().getReason())
        .isEqualTo("the expected delay is 16 steps: expected less than the 16 of a chunk");
  }

  /** How far the first steps of a chunk are from the steps of another that are in execution. */
  private static double distance(float[] chunk, ActionChunk other, int executed, int steps) {
    double sum = 0;
    int columns = other.getActionDimensions();
    for (int i = 0; i < steps * columns; i++) {
      sum += Math.abs(chunk[i] - other.getActions().get(executed * columns + i));
    }
    return sum;
  }

  @Test
  void aChunkSaysWhatWasReused() throws Exception {
    RobotObservation cold = RobotMessages.observation("still", "e1", 0);
    ActionChunk first = job.only(job.send(cold)).chunk();
    assertThat(first.getCamerasReused()).isZero();
    assertThat(first.getPrefixReused()).isFalse();
    // The made-up picture of "top" in the next observation is that of "wrist" in this one.
    RobotObservation half = RobotMessages.observation("still", "e1", 5);
    half.setFrames(List.of(half.getFrames().getFirst(), RobotMessages.same("wrist")));
    ActionChunk second = job.only(job.send(half)).chunk();
    assertThat(second.getCamerasReused()).isEqualTo(1);
    assertThat(second.getPrefixReused()).isFalse();
    RobotObservation still = RobotMessages.observation("still", "e1", 6);
    still.setFrames(List.of(RobotMessages.same("top"), RobotMessages.same("wrist")));
    ActionChunk third = job.only(job.send(still)).chunk();
    assertThat(third.getCamerasReused()).isEqualTo(2);
    assertThat(third.getPrefixReused()).isTrue();
  }

  @Test
  void aChunkSaysWhatItIsAndWhereItComesFrom() throws Exception {
    RobotObservation sent = RobotMessages.observation("labelled", "e1", 0);
    long offset = job.send(sent);
    ActionChunk chunk = job.only(offset).chunk();
    assertThat(chunk.getRobot()).isEqualTo("labelled");
    assertThat(chunk.getEpisode()).isEqualTo("e1");
    assertThat(chunk.getSequence()).isZero();
    assertThat(chunk.getObservedAt()).isEqualTo(sent.getObservedAt());
    assertThat(chunk.getActions()).hasSize(chunk.getHorizon() * chunk.getActionDimensions());
    assertThat(chunk.getCheckpoint()).matches("[0-9a-f]{64}");
    assertThat(chunk.getDevice()).isEqualTo("reference/fp32");
    assertThat(chunk.getBatchSize()).isPositive();
    assertThat(chunk.getSourceTopic()).isEqualTo("observations");
    assertThat(chunk.getSourcePartition()).isZero();
  }

  @Test
  void whatTheJobCannotServeEndsInOneRejectionAndRestartsNothing() throws Exception {
    Map<Long, String> bad = new LinkedHashMap<>();
    List<Long> good = new ArrayList<>();
    for (BadRecord record : badRecords()) {
      bad.put(job.send(null, record.value()), record.reason());
      good.add(job.send(RobotMessages.observation("good-" + good.size(), "e1", 0)));
    }
    Map<Long, List<ServedJob.End>> ends = job.awaitOutcomesUpTo(good.getLast());
    assertThat(good)
        .allSatisfy(
            offset ->
                assertThat(ends.get(offset))
                    .singleElement()
                    .satisfies(end -> assertThat(end.chunk()).isNotNull()));
    bad.forEach(
        (offset, reason) ->
            assertThat(ends.get(offset))
                .as(reason)
                .singleElement()
                .satisfies(
                    end -> {
                      assertThat(end.outcome().getKind()).isEqualTo(OutcomeKind.REJECTED);
                      assertThat(end.outcome().getReason()).matches(reason);
                    }));
    assertThat(job.restarts()).isZero();
  }

  @Test
  void anObservationWhoseDeadlineHasPassedExpires() throws Exception {
    RobotObservation sent = RobotMessages.observation("late", "e1", 0);
    sent.setDeadline(Instant.EPOCH.plusSeconds(1));
    ObservationOutcome outcome = job.only(job.send(sent)).outcome();
    assertThat(outcome.getKind()).isEqualTo(OutcomeKind.EXPIRED);
  }

  @Test
  void aRepeatIsSuperseded() throws Exception {
    RobotObservation sent = RobotMessages.observation("twice", "e1", 0);
    long first = job.send(sent);
    long second = job.send(sent);
    assertThat(job.only(first).chunk()).isNotNull();
    assertThat(job.only(second).outcome().getKind()).isEqualTo(OutcomeKind.SUPERSEDED);
  }

  /**
   * A record that cannot be served.
   *
   * @param reason what its rejection says, as a regular expression
   */
  private record BadRecord(byte[] value, String reason) {}

  private static List<BadRecord> badRecords() {
    List<BadRecord> bad = new ArrayList<>();
    bad.add(
        new BadRecord(
            "garbage".getBytes(StandardCharsets.UTF_8), "message has 7 bytes: expected .*"));
    bad.add(new BadRecord(new byte[5000], "message begins with 00 00: expected c3 01, .*"));
    byte[] unknownSchema = encoded(RobotMessages.observation("bad-schema", "e1", 0));
    unknownSchema[3] ^= 0x55;
    bad.add(new BadRecord(unknownSchema, "message was written with the schema of fingerprint .*"));
    byte[] whole = encoded(RobotMessages.observation("bad-truncated", "e1", 0));
    bad.add(
        new BadRecord(
            Arrays.copyOf(whole, whole.length / 2), "message of .* bytes ends, or claims .*"));

    RobotObservation camera = RobotMessages.observation("bad-camera", "e1", 0);
    camera.setFrames(List.of(RobotMessages.rgb("top", 1), RobotMessages.rgb("belly", 2)));
    bad.add(
        new BadRecord(
            encoded(camera), "there is no camera 'belly': expected one of \\[top, wrist\\]"));
    RobotObservation blind = RobotMessages.observation("bad-blind", "e1", 0);
    blind.setFrames(List.of());
    bad.add(
        new BadRecord(
            encoded(blind), "there is no frame of any camera: expected one of \\[top, wrist\\]"));

    RobotObservation state = RobotMessages.observation("bad-state", "e1", 0);
    state.setState(List.of(1f, 2f, 3f, 4f));
    bad.add(new BadRecord(encoded(state), "the state has 4 numbers: expected 3"));
    for (float number : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      RobotObservation odd = RobotMessages.observation("bad-number-" + number, "e1", 0);
      odd.setState(List.of(0f, number, 0f));
      bad.add(
          new BadRecord(
              encoded(odd), "state\\[1\\] is %s: expected a finite number".formatted(number)));
    }

    bad.add(
        new BadRecord(
            encoded(RobotMessages.observation("bad-no-prompt", "e1", 1)),
            "observation has no prompt and episode 'e1' has none to inherit: .*"));
    bad.add(
        new BadRecord(
            encoded(prompted("bad-cut", "put the red block ".repeat(40))),
            "the prompt has \\d+ tokens: expected at most \\d+"));
    for (int bytes : new int[] {100_000, 1_000_000}) {
      bad.add(
          new BadRecord(
              encoded(prompted("bad-long-" + bytes, "x".repeat(bytes))),
              "prompt has %,d bytes: expected at most 8,192".formatted(bytes)));
    }

    byte[] jpeg = RobotMessages.picture("jpeg");
    bad.add(
        new BadRecord(
            encoded(pictured("bad-jpeg", FrameEncoding.JPEG, Arrays.copyOf(jpeg, jpeg.length / 2))),
            "camera top: JPEG frame is truncated: .*"));
    byte[] unmarked = jpeg.clone();
    Arrays.fill(unmarked, 0, 20, (byte) 0x11);
    bad.add(
        new BadRecord(
            encoded(pictured("bad-marker", FrameEncoding.JPEG, unmarked)),
            "camera top: JPEG frame of .* does not begin with a JPEG marker"));
    byte[] corrupt = jpeg.clone();
    // Zeros are two codes of the shortest kind: the entropy-coded data ends long after the picture.
    Arrays.fill(corrupt, jpeg.length / 2, jpeg.length - 2, (byte) 0);
    bad.add(
        new BadRecord(
            encoded(pictured("bad-codes", FrameEncoding.JPEG, corrupt)),
            "camera top: JPEG frame of [\\d,]+ bytes is truncated or corrupt: .+"));
    bad.add(
        new BadRecord(
            encoded(pictured("bad-png-size", FrameEncoding.PNG, hugePng())),
            "camera top: PNG frame claims 60000×60000 pixels: expected at most .*"));
    bad.add(
        new BadRecord(
            encoded(pictured("bad-jpeg-size", FrameEncoding.JPEG, hugeJpeg())),
            "camera top: JPEG frame claims 60000×60000 pixels: expected at most .*"));
    bad.add(
        new BadRecord(
            encoded(pictured("bad-kind", FrameEncoding.PNG, jpeg)),
            "camera top: PNG frame of .* does not begin with PNG's signature"));
    return bad;
  }

  /** A PNG whose header claims 60000 × 60000 pixels, with a checksum that fits. */
  private static byte[] hugePng() {
    byte[] png = RobotMessages.picture("png");
    ByteBuffer buffer = ByteBuffer.wrap(png);
    // Signature 8, length 4, "IHDR" at 12, width at 16, height at 20, checksum of 12..28 at 29.
    buffer.putInt(16, 60_000).putInt(20, 60_000);
    CRC32 checksum = new CRC32();
    checksum.update(png, 12, 17);
    buffer.putInt(29, (int) checksum.getValue());
    return png;
  }

  /** A JPEG whose frame header claims 60000 × 60000 pixels. */
  private static byte[] hugeJpeg() {
    byte[] jpeg = RobotMessages.picture("jpeg");
    int header = 2;
    // From segment to segment, each a marker and a length, up to SOF0; its sizes are 5 behind it.
    while (jpeg[header + 1] != (byte) 0xC0) {
      header += 2 + Short.toUnsignedInt(ByteBuffer.wrap(jpeg).getShort(header + 2));
    }
    ByteBuffer.wrap(jpeg).putShort(header + 5, (short) 60_000).putShort(header + 7, (short) 60_000);
    return jpeg;
  }

  private static RobotObservation prompted(String robot, String prompt) {
    RobotObservation sent = RobotMessages.observation(robot, "e1", 0);
    sent.setPrompt(prompt);
    return sent;
  }

  private static RobotObservation pictured(String robot, FrameEncoding encoding, byte[] data) {
    RobotObservation sent = RobotMessages.observation(robot, "e1", 0);
    sent.setFrames(List.of(RobotMessages.encoded("top", encoding, data)));
    return sent;
  }

  private static byte[] encoded(RobotObservation observation) {
    return WireFormat.observations().encode(observation);
  }

  private static float[] served(RobotObservation sent) throws Exception {
    ActionChunk chunk = job.only(job.send(sent)).chunk();
    assertThat(chunk).isNotNull();
    return numbers(chunk);
  }

  private static float[] numbers(ActionChunk chunk) {
    float[] actions = new float[chunk.getActions().size()];
    for (int i = 0; i < actions.length; i++) {
      actions[i] = chunk.getActions().get(i);
    }
    return actions;
  }

  private static dev.pi0stream.model.engine.ChunkInExecution execution(ChunkInExecution sent) {
    float[] remaining = new float[sent.getRemaining().size()];
    for (int i = 0; i < remaining.length; i++) {
      remaining[i] = sent.getRemaining().get(i);
    }
    return new dev.pi0stream.model.engine.ChunkInExecution(
        remaining, sent.getDelay(), sent.getExecutionHorizon());
  }

  /** What the model gives, without Flink, Kafka and engine. */
  private static float[] actions(
      LoadedPolicy direct, RobotObservation sent, List<CameraFrame> pictures) {
    Map<String, Frame> frames = new HashMap<>();
    for (CameraFrame picture : pictures) {
      frames.put(
          picture.getCamera(),
          new Frame(
              Frame.Encoding.valueOf(picture.getEncoding().name()),
              picture.getWidth(),
              picture.getHeight(),
              picture.getData().array()));
    }
    float[] state = new float[sent.getState().size()];
    for (int i = 0; i < state.length; i++) {
      state[i] = sent.getState().get(i);
    }
    ServedPolicy policy = direct.policy();
    Observation observation = new Observation(frames, state, RobotMessages.PROMPT);
    Sample sample =
        new Sample(
            policy.prepare(observation),
            direct
                .noise()
                .draw(
                    new ObservationId(sent.getRobot(), sent.getEpisode(), sent.getSequence()),
                    policy.noiseSize()),
            sent.getExecution() == null
                ? null
                : policy.guidance(execution(sent.getExecution()), observation));
    return policy.actions(policy.infer(List.of(sample)).x().getFirst(), observation);
  }
}
