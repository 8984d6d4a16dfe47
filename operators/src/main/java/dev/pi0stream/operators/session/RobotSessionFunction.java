package dev.pi0stream.operators.session;

import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.outcome.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Follows each robot from observation to observation: fills in the inherited prompt and the frames
 * that are the same as before, and ends what comes late.
 *
 * <ul>
 *   <li>Another episode begins anew: nothing is inherited from the last one.
 *   <li>An observation that is not newer than the newest of its episode ends as superseded: the
 *       same sequence again is a repeat of one that has its outcome or will have it, a lower one
 *       came too late. So does what still comes from the episode before.
 *   <li>A session learns from every other observation, whether it can be served or not: the robot
 *       does not know that it was refused when it says "the same as before". A frame or a prompt
 *       that was refused is forgotten, so that nothing older is taken in its place.
 * </ul>
 *
 * <p>Sessions of robots that are silent for longer than the time to live are forgotten.
 */
public final class RobotSessionFunction
    extends KeyedProcessFunction<String, DecodedObservation, ResolvedObservation> {
  private static final long serialVersionUID = 1L;

  /** Outcomes of observations that end here. */
  public static final OutputTag<Outcome> ENDED =
      new OutputTag<>("ended", TypeInformation.of(Outcome.class));

  private final Duration timeToLive;
  private transient ValueState<RobotSession> sessions;
  private transient MapState<String, Frame> lastFrames;

  /**
   * @param timeToLive how long a silent robot is remembered
   */
  public RobotSessionFunction(Duration timeToLive) {
    this.timeToLive = timeToLive;
  }

  @Override
  public void open(OpenContext context) {
    StateTtlConfig forgetting =
        StateTtlConfig.newBuilder(timeToLive)
            .setUpdateType(StateTtlConfig.UpdateType.OnReadAndWrite)
            .setStateVisibility(StateTtlConfig.StateVisibility.NeverReturnExpired)
            .build();
    ValueStateDescriptor<RobotSession> session =
        new ValueStateDescriptor<>("session", TypeInformation.of(RobotSession.class));
    session.enableTimeToLive(forgetting);
    sessions = getRuntimeContext().getState(session);
    MapStateDescriptor<String, Frame> frames =
        new MapStateDescriptor<>("last-frames", Types.STRING, TypeInformation.of(Frame.class));
    frames.enableTimeToLive(forgetting);
    lastFrames = getRuntimeContext().getMapState(frames);
  }

  @Override
  public void processElement(
      DecodedObservation observation, Context context, Collector<ResolvedObservation> out)
      throws Exception {
    RobotSession session = sessions.value();
    String late = late(observation, session);
    if (late != null) {
      // What cannot be served is rejected even so: that is what its sender has to know.
      context.output(
          ENDED,
          observation.defect() == null
              ? ended(observation, Outcome.Kind.SUPERSEDED, late, context)
              : ended(observation, Outcome.Kind.REJECTED, observation.defect(), context));
      return;
    }
    String prompt = learn(observation, session);
    Map<String, Frame> frames = new HashMap<>(observation.frames());
    String defect = observation.defect();
    for (String camera : observation.same()) {
      Frame last = lastFrames.get(camera);
      if (last != null) {
        frames.put(camera, last);
      } else if (defect == null) {
        defect =
            "frame of camera '%s' is SAME: expected an earlier frame of it in episode '%s'"
                .formatted(camera, observation.episode());
      }
    }
    if (defect == null && prompt == null) {
      defect =
          "observation has no prompt and episode '%s' has none to inherit: expected one in an episode's first observation, and after one that was refused"
              .formatted(observation.episode());
    }
    if (defect != null) {
      context.output(ENDED, ended(observation, Outcome.Kind.REJECTED, defect, context));
      return;
    }
    out.collect(
        new ResolvedObservation(
            observation.source(),
            observation.robot(),
            observation.episode(),
            observation.sequence(),
            observation.observedAt(),
            observation.deadline(),
            prompt,
            observation.state(),
            frames));
  }

  /** Why an observation comes too late; null when it does not. */
  private static String late(DecodedObservation observation, RobotSession session) {
    if (session == null) {
      return null;
    }
    if (observation.episode().equals(session.previousEpisode())) {
      return "episode '%s' was followed by '%s'"
          .formatted(observation.episode(), session.episode());
    }
    if (!observation.episode().equals(session.episode())
        || observation.sequence() > session.sequence()) {
      return null;
    }
    return observation.sequence() == session.sequence()
        ? "sequence %d of episode '%s' came again: its first record has the outcome"
            .formatted(observation.sequence(), observation.episode())
        : "sequence %d of episode '%s' came after %d"
            .formatted(observation.sequence(), observation.episode(), session.sequence());
  }

  /**
   * Remembers what an observation brings.
   *
   * @return the prompt that holds for it; null when there is none
   */
  private String learn(DecodedObservation observation, RobotSession session) throws Exception {
    boolean first = session == null || !session.episode().equals(observation.episode());
    if (first) {
      lastFrames.clear();
    }
    for (String camera : observation.framesRefused()) {
      lastFrames.remove(camera);
    }
    for (Map.Entry<String, Frame> frame : observation.frames().entrySet()) {
      lastFrames.put(frame.getKey(), frame.getValue());
    }
    String inherited = first || observation.promptRefused() ? null : session.instruction();
    String instruction = observation.prompt() != null ? observation.prompt() : inherited;
    String previous =
        session == null ? null : first ? session.episode() : session.previousEpisode();
    sessions.update(
        new RobotSession(observation.episode(), previous, instruction, observation.sequence()));
    return instruction;
  }

  private static Outcome ended(
      DecodedObservation observation, Outcome.Kind kind, String reason, Context context) {
    return new Outcome(
        observation.source(),
        kind,
        observation.robot(),
        observation.episode(),
        observation.sequence(),
        reason,
        null,
        Instant.ofEpochMilli(context.timerService().currentProcessingTime()));
  }
}
