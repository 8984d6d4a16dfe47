package dev.pi0stream.operators.session;

import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.outcome.Outcome;
import java.time.Duration;
import java.time.Instant;
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
 * Applies the {@link SessionRules} to each robot, on keyed state. Sessions of robots that are
 * silent for longer than the time to live are forgotten.
 */
public final class RobotSessionFunction
    extends KeyedProcessFunction<String, DecodedObservation, ResolvedObservation> {
  private static final long serialVersionUID = 1L;

  /** Outcomes of observations that end here. */
  public static final OutputTag<Outcome> ENDED =
      new OutputTag<>("ended", TypeInformation.of(Outcome.class));

  private final Duration timeToLive;
  private transient SessionMemory memory;

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
    MapStateDescriptor<String, Frame> frames =
        new MapStateDescriptor<>("last-frames", Types.STRING, TypeInformation.of(Frame.class));
    frames.enableTimeToLive(forgetting);
    memory =
        new KeyedMemory(
            getRuntimeContext().getState(session), getRuntimeContext().getMapState(frames));
  }

  @Override
  public void processElement(
      DecodedObservation observation, Context context, Collector<ResolvedObservation> out)
      throws Exception {
    switch (SessionRules.take(observation, memory)) {
      case SessionRules.Resolved resolved -> out.collect(resolved.observation());
      case SessionRules.Ended ended ->
          context.output(
              ENDED,
              Outcome.ended(
                  observation.source(),
                  ended.kind(),
                  observation.id(),
                  ended.reason(),
                  Instant.ofEpochMilli(context.timerService().currentProcessingTime())));
    }
  }

  /** The session of the robot whose observation is processed. */
  private static final class KeyedMemory implements SessionMemory {
    private final ValueState<RobotSession> sessions;
    private final MapState<String, Frame> lastFrames;

    KeyedMemory(ValueState<RobotSession> sessions, MapState<String, Frame> lastFrames) {
      this.sessions = sessions;
      this.lastFrames = lastFrames;
    }

    @Override
    public RobotSession session() throws Exception {
      return sessions.value();
    }

    @Override
    public void remember(RobotSession session) throws Exception {
      sessions.update(session);
    }

    @Override
    public Frame frame(String camera) throws Exception {
      return lastFrames.get(camera);
    }

    @Override
    public void remember(String camera, Frame frame) throws Exception {
      lastFrames.put(camera, frame);
    }

    @Override
    public void forget(String camera) throws Exception {
      lastFrames.remove(camera);
    }

    @Override
    public void forgetFrames() {
      lastFrames.clear();
    }
  }
}
