package dev.pi0stream.model.engine;

import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.Executor;

/**
 * What an engine has from outside, so that a simulator can run it on a virtual clock.
 *
 * @param clock gives arrivals, deadlines and durations
 * @param alarm of the same clock
 * @param device runs batches, one at a time
 * @param preparation runs {@link ServedPolicy#prepare}
 * @param batches hears of every batch
 */
public record Surroundings(
    InstantSource clock,
    Alarm alarm,
    Executor device,
    Executor preparation,
    BatchListener batches) {
  public Surroundings {
    Objects.requireNonNull(clock, "clock");
    Objects.requireNonNull(alarm, "alarm");
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(preparation, "preparation");
    Objects.requireNonNull(batches, "batches");
  }

  /** Surroundings in which nobody hears of batches. */
  public Surroundings(InstantSource clock, Alarm alarm, Executor device, Executor preparation) {
    this(clock, alarm, device, preparation, BatchListener.NONE);
  }
}
