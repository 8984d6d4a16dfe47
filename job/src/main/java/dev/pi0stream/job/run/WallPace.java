package dev.pi0stream.job.run;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Real time, until a latch is released.
 *
 * @param end released when the run ends
 */
record WallPace(CountDownLatch end) implements Pace {
  @Override
  public Instant now() {
    return Instant.now();
  }

  @Override
  public boolean awaitUntil(Instant moment) throws InterruptedException {
    long nanos = Duration.between(Instant.now(), moment).toNanos();
    return !end.await(Math.max(0, nanos), TimeUnit.NANOSECONDS);
  }
}
