package dev.pi0stream.operators.telemetry;

import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.outcome.WireRecord;
import java.time.Duration;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;

/** The part of the job that sums up what robots experience. */
public final class Telemetry {
  private Telemetry() {}

  /**
   * Reports for the telemetry topic.
   *
   * @param observations with the event times of their records, without watermarks
   * @param outcomes likewise; those that name no robot are in no report
   * @param timeToLive how long a silent robot is remembered
   */
  public static DataStream<WireRecord> of(
      DataStream<DecodedObservation> observations,
      DataStream<Outcome> outcomes,
      TelemetrySettings settings,
      Duration timeToLive) {
    DataStream<RobotEvent> observed =
        timed(
            "observed",
            observations
                .map(RobotEvent::observed)
                .returns(TypeInformation.of(RobotEvent.class))
                .name("Observed")
                .uid("telemetry-observed")
                .setDescription("What telemetry has to know of an observation: no frames"),
            settings);
    DataStream<RobotEvent> ended =
        timed(
            "ended",
            outcomes
                .filter(outcome -> outcome.robot() != null && outcome.episode() != null)
                .name("Outcomes of robots")
                .uid("telemetry-robots")
                .map(RobotEvent::ended)
                .returns(TypeInformation.of(RobotEvent.class))
                .name("Ended")
                .uid("telemetry-ended")
                .setDescription("What telemetry has to know of an outcome: no actions"),
            settings);
    return observed
        .union(ended)
        .keyBy(RobotEvent::robot)
        .process(new RobotTelemetryFunction(settings, timeToLive))
        .name("Telemetry of robots")
        .uid("telemetry")
        .setDescription("Sums up what each robot experienced, every " + settings.window());
  }

  private static DataStream<RobotEvent> timed(
      String name, DataStream<RobotEvent> events, TelemetrySettings settings) {
    return events
        .assignTimestampsAndWatermarks(RobotEventTime.strategy(settings.patience()))
        .name("Event time")
        .uid("telemetry-time-" + name);
  }
}
