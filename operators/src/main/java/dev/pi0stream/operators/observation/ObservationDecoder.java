package dev.pi0stream.operators.observation;

import dev.pi0stream.model.engine.ChunkInExecution;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads records of the observations topic and checks what can be checked without knowing the robot
 * or the policy: names, sequence, finite state, the shape and size of frames, the prompt's size.
 */
public final class ObservationDecoder {
  /** What a decoder of UTF-8 leaves where the bytes were not UTF-8. */
  private static final char REPLACEMENT = '\uFFFD';

  private final WireFormat<RobotObservation> format = WireFormat.observations();
  private final ObservationLimits limits;

  public ObservationDecoder(ObservationLimits limits) {
    this.limits = limits;
  }

  /**
   * Reads a record.
   *
   * @return the observation, with its defect where it has one
   * @throws UnreadableObservationException when the record does not say whose observation it is
   */
  public DecodedObservation decode(SourceRecord record) throws UnreadableObservationException {
    if (record.value() == null) {
      throw new UnreadableObservationException("record has no value: expected an observation");
    }
    RobotObservation message;
    try {
      message = format.decode(record.value());
    } catch (WireException e) {
      throw new UnreadableObservationException(e.getMessage(), e, null, null, null);
    }
    checkIdentity(message);

    Draft draft = new Draft();
    float[] state = numbers("state", message.getState(), limits.stateNumbers(), draft);
    String prompt = prompt(message.getPrompt(), draft);
    Frames frames = frames(message.getFrames(), draft);
    ChunkInExecution execution = execution(message.getExecution(), draft);
    return new DecodedObservation(
        record.position(),
        message.getRobot(),
        message.getEpisode(),
        message.getSequence(),
        message.getObservedAt(),
        message.getDeadline(),
        prompt,
        prompt == null && message.getPrompt() != null,
        state,
        frames.sent,
        List.copyOf(frames.same),
        List.copyOf(frames.refused),
        execution,
        draft.defect);
  }

  private void checkIdentity(RobotObservation message) throws UnreadableObservationException {
    String robotDefect = nameDefect("robot", message.getRobot());
    String episodeDefect = nameDefect("episode", message.getEpisode());
    String sequenceDefect =
        message.getSequence() < 0
            ? "sequence is %d: expected 0 or more".formatted(message.getSequence())
            : null;
    String defect =
        robotDefect != null ? robotDefect : episodeDefect != null ? episodeDefect : sequenceDefect;
    if (defect != null) {
      throw new UnreadableObservationException(
          defect,
          null,
          robotDefect == null ? message.getRobot() : null,
          episodeDefect == null ? message.getEpisode() : null,
          message.getSequence());
    }
  }

  /** Finite numbers; none where there are too many. */
  private static float[] numbers(String what, List<Float> values, int limit, Draft draft) {
    if (values.size() > limit) {
      draft.found("%s has %,d numbers: expected at most %,d".formatted(what, values.size(), limit));
      return new float[0];
    }
    float[] numbers = new float[values.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = values.get(i);
      if (!Float.isFinite(numbers[i])) {
        draft.found("%s[%d] is %s: expected a finite number".formatted(what, i, numbers[i]));
      }
    }
    return numbers;
  }

  /** The chunk in execution; null where the robot says nothing of one. */
  private ChunkInExecution execution(dev.pi0stream.schemas.ChunkInExecution sent, Draft draft) {
    if (sent == null) {
      return null;
    }
    if (sent.getDelay() < 0) {
      draft.found("execution.delay is %d: expected 0 or more".formatted(sent.getDelay()));
    }
    if (sent.getExecutionHorizon() < 0) {
      draft.found(
          "execution.executionHorizon is %d: expected 0 or more"
              .formatted(sent.getExecutionHorizon()));
    }
    return new ChunkInExecution(
        numbers("execution.remaining", sent.getRemaining(), limits.remainingNumbers(), draft),
        sent.getDelay(),
        sent.getExecutionHorizon());
  }

  /** The prompt; null where there is none or where it is refused. */
  private String prompt(String prompt, Draft draft) {
    if (prompt == null) {
      return null;
    }
    int bytes = prompt.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > limits.promptBytes()) {
      draft.found(
          "prompt has %,d bytes: expected at most %,d".formatted(bytes, limits.promptBytes()));
      return null;
    }
    if (prompt.isBlank()) {
      draft.found("prompt is blank: expected an instruction, or null for the episode's last one");
      return null;
    }
    if (prompt.indexOf(REPLACEMENT) >= 0) {
      draft.found("prompt is not UTF-8 at character %d".formatted(prompt.indexOf(REPLACEMENT)));
      return null;
    }
    return prompt;
  }

  private Frames frames(List<CameraFrame> sent, Draft draft) {
    Frames frames = new Frames();
    Set<String> seen = new HashSet<>();
    if (sent.size() > limits.cameras()) {
      draft.found(
          "observation has %,d frames: expected at most %,d"
              .formatted(sent.size(), limits.cameras()));
    }
    for (CameraFrame frame : sent) {
      String camera = frame.getCamera();
      String defect = nameDefect("camera", camera);
      if (defect != null) {
        // A camera without a usable name is none that a later frame could be the same as.
        draft.found(defect);
        continue;
      }
      if (seen.add(camera)) {
        defect = frameDefect(frame);
      } else {
        defect = "camera '%s' has more than one frame: expected one".formatted(camera);
      }
      if (defect != null) {
        draft.found(defect);
        frames.refuse(camera);
      } else if (frame.getEncoding() == FrameEncoding.SAME) {
        frames.same.add(camera);
      } else {
        frames.sent.put(camera, frame(frame));
      }
    }
    return frames;
  }

  private String frameDefect(CameraFrame frame) {
    String place = "frame of camera '%s'".formatted(frame.getCamera());
    int bytes = frame.getData().remaining();
    int width = frame.getWidth();
    int height = frame.getHeight();
    if (bytes > limits.frameBytes()) {
      return "%s has %,d bytes: expected at most %,d".formatted(place, bytes, limits.frameBytes());
    }
    FrameEncoding encoding = frame.getEncoding();
    if (encoding == FrameEncoding.RGB8) {
      if (width < 1 || height < 1) {
        return "%s is %d × %d: expected 1 or more columns and rows".formatted(place, width, height);
      }
      if ((long) width * height * 3 != bytes) {
        return "%s is %d × %d and has %,d bytes: expected %,d"
            .formatted(place, width, height, bytes, (long) width * height * 3);
      }
      return null;
    }
    if (width != 0 || height != 0) {
      return "%s is %s and claims %d × %d: expected 0 × 0 for all but RGB8"
          .formatted(place, encoding, width, height);
    }
    if (encoding == FrameEncoding.SAME) {
      return bytes == 0
          ? null
          : "%s is SAME and has %,d bytes: expected none".formatted(place, bytes);
    }
    return bytes > 0 ? null : "%s is %s and has no bytes".formatted(place, encoding);
  }

  private String nameDefect(String what, String name) {
    if (name.isEmpty()) {
      return "name of the %s is empty".formatted(what);
    }
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > limits.nameBytes()) {
      return "name of the %s has %,d bytes: expected at most %,d"
          .formatted(what, bytes, limits.nameBytes());
    }
    if (name.indexOf(REPLACEMENT) >= 0) {
      return "name of the %s is not UTF-8 at character %d"
          .formatted(what, name.indexOf(REPLACEMENT));
    }
    return null;
  }

  private static Frame frame(CameraFrame frame) {
    ByteBuffer buffer = frame.getData();
    byte[] data = new byte[buffer.remaining()];
    buffer.get(buffer.position(), data);
    return new Frame(
        switch (frame.getEncoding()) {
          case RGB8 -> Frame.Encoding.RGB8;
          case JPEG -> Frame.Encoding.JPEG;
          case PNG -> Frame.Encoding.PNG;
          case SAME -> throw new IllegalArgumentException("a SAME frame has no picture");
        },
        frame.getWidth(),
        frame.getHeight(),
        data);
  }

  /** The first defect that was found. */
  private static final class Draft {
    private String defect;

    void found(String another) {
      if (defect == null) {
        defect = another;
      }
    }
  }

  /** The frames of an observation by what they are. */
  private static final class Frames {
    private final Map<String, Frame> sent = new HashMap<>();
    private final Set<String> same = new LinkedHashSet<>();
    private final Set<String> refused = new LinkedHashSet<>();

    /** What the camera sends cannot be used, even where an earlier frame of it could. */
    void refuse(String camera) {
      sent.remove(camera);
      same.remove(camera);
      refused.add(camera);
    }
  }
}
