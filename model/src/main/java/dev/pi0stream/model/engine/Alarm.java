package dev.pi0stream.model.engine;

import java.time.Instant;

/** Runs something later, by the same clock that tells the time. */
@FunctionalInterface
public interface Alarm {
  /** Never rings: for who runs batches with nobody who has to hear that one hangs. */
  Alarm NONE = (_, _) -> () -> {};

  /**
   * Sets the alarm.
   *
   * @param action must not wait for anything
   * @return takes the alarm back, if it has not rung
   */
  Runnable set(Instant when, Runnable action);
}
