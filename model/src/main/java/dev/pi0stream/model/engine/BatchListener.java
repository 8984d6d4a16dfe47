package dev.pi0stream.model.engine;

import java.time.Duration;

/** Hears of every batch that came to the device; called on its thread, and must not wait. */
@FunctionalInterface
public interface BatchListener {
  /** Does not listen. */
  BatchListener NONE = _ -> {};

  /** A batch has ended, or is given up because it hangs. */
  void ended(BatchReport batch);

  /**
   * What there is to say of a batch.
   *
   * @param rows the requests of it
   * @param gathered from the arrival of its oldest request to its start
   * @param took from its start to its end, or until it was given up
   * @param failed whether it gave nothing
   */
  record BatchReport(int rows, Duration gathered, Duration took, boolean failed) {}
}
