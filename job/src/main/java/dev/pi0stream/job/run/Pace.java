package dev.pi0stream.job.run;

import java.time.Instant;

/** The time that players keep. */
interface Pace {
  Instant now();

  /**
   * Waits for a moment; not at all for one that has passed.
   *
   * @return whether to go on; false when the run ends
   */
  boolean awaitUntil(Instant moment) throws InterruptedException;
}
