package dev.pi0stream.model.engine;

import java.time.Instant;

/** Runs something later, by the same clock that tells the time. */
@FunctionalInterface
public interface Alarm {
  /**
   * Sets the alarm.
   *
   * @param action must not wait for anything
   * @return takes the alarm back, if it has not rung
   */
  Runnable set(Instant when, Runnable action);
}
