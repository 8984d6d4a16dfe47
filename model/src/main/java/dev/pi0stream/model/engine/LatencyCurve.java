package dev.pi0stream.model.engine;

import dev.pi0stream.model.engine.ServedPolicy.Computed;
import java.time.Duration;
import java.util.Collection;

/**
 * How long a batch takes, by its size and by what its rows need: each of the three stages by what
 * it has to do, so that batches of full, partly reused and state-only rows are all known from the
 * same figures. Learns from every batch. Not safe for use by several threads.
 */
public final class LatencyCurve {
  private final StageCurve vision = new StageCurve();
  private final StageCurve prefix = new StageCurve();
  private final StageCurve denoise = new StageCurve();

  /** Takes the times of a batch. */
  public void learn(Computed computed, Duration sees, Duration reads, Duration denoises) {
    vision.learn(computed.images(), sees.toNanos());
    prefix.learn(computed.prefixes(), reads.toNanos());
    denoise.learn(computed.rows(), denoises.toNanos());
  }

  /** Takes the times of a batch. */
  void learn(ServedPolicy.Inference inference) {
    learn(inference.computed(), inference.vision(), inference.prefix(), inference.denoise());
  }

  /** Whether no batch has ended yet. */
  public boolean isEmpty() {
    return denoise.isEmpty();
  }

  /** What a batch is expected to take; zero while nothing is known. */
  public Duration estimate(Computed computed) {
    return Duration.ofNanos(
        Math.round(
            vision.estimate(computed.images())
                + prefix.estimate(computed.prefixes())
                + denoise.estimate(computed.rows())));
  }

  /** What a batch of rows with this work is expected to take. */
  public Duration estimate(Collection<Work> rows) {
    int images = 0;
    int prefixes = 0;
    for (Work work : rows) {
      images += work.images();
      prefixes += work.prefix() ? 1 : 0;
    }
    return estimate(new Computed(images, prefixes, rows.size()));
  }
}
