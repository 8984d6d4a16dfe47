package dev.pi0stream.operators.telemetry;

import java.io.Serializable;
import java.time.Duration;

/**
 * How the robots' experience is summed up.
 *
 * @param window of event time that one report is about
 * @param patience how long, in event time, a window waits for the outcomes of its observations;
 *     what comes later is counted as late
 * @param controlPeriod from one step of a chunk to the next on the robots
 */
public record TelemetrySettings(Duration window, Duration patience, Duration controlPeriod)
    implements Serializable {
  /** Ten seconds, five of patience, and the 50 Hz at which π0's robots are controlled. */
  public static final TelemetrySettings DEFAULT =
      new TelemetrySettings(Duration.ofSeconds(10), Duration.ofSeconds(5), Duration.ofMillis(20));

  public TelemetrySettings {
    if (window.toMillis() < 1) {
      throw new IllegalArgumentException(
          "window of telemetry is %s: expected 1 ms or more".formatted(window));
    }
    if (patience.isNegative()) {
      throw new IllegalArgumentException(
          "patience of telemetry is %s: expected 0 or more".formatted(patience));
    }
    if (controlPeriod.compareTo(Duration.ofNanos(1000)) < 0) {
      throw new IllegalArgumentException(
          "control period is %s: expected 1 µs or more".formatted(controlPeriod));
    }
  }

  /** The same for robots with another control period. */
  public TelemetrySettings controlledEvery(Duration period) {
    return new TelemetrySettings(window, patience, period);
  }
}
