package dev.pi0stream.operators.policy;

import dev.pi0stream.model.engine.Alarm;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Rings by the system's clock, on a thread of its own. */
final class ClockAlarm implements Alarm, AutoCloseable {
  private final ScheduledThreadPoolExecutor executor =
      new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("pi0-alarm").factory());

  ClockAlarm() {
    executor.setRemoveOnCancelPolicy(true);
  }

  @Override
  public Runnable set(Instant when, Runnable action) {
    long delay = TimeUnit.NANOSECONDS.convert(Duration.between(Instant.now(), when));
    try {
      ScheduledFuture<?> set = executor.schedule(action, delay, TimeUnit.NANOSECONDS);
      return () -> set.cancel(false);
    } catch (RejectedExecutionException e) {
      // The engine is being closed: nobody has to be told of a batch that does not end.
      return () -> {};
    }
  }

  /** Never rings again. */
  @Override
  public void close() {
    executor.shutdownNow();
  }
}
