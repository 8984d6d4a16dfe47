package dev.pi0stream.tests.simulator;

import dev.pi0stream.model.engine.LatencyCurve;
import dev.pi0stream.model.engine.ServedPolicy.Computed;
import java.io.Serializable;
import java.time.Duration;

/**
 * What batches take on a device, in microseconds.
 *
 * @param image for each new picture
 * @param prefix for each new prefix
 * @param batch for each batch, whatever it holds
 * @param row for each of its rows
 */
public record DeviceCosts(long image, long prefix, long batch, long row) implements Serializable {
  /** A device that takes no time. */
  public static final DeviceCosts NONE = new DeviceCosts(0, 0, 0, 0);

  /**
   * About SGLang's figures for π0.5 with three cameras on an H100: 52, 65, 92 and 147 ms for 1, 2,
   * 4 and 8 robots with new pictures. Batches pay.
   */
  public static final DeviceCosts ACCELERATOR = new DeviceCosts(3_000, 3_000, 39_000, 1_500);

  /** A device that computes row after row: batches hardly pay. */
  public static final DeviceCosts PROCESSOR = new DeviceCosts(6_000, 8_000, 3_000, 4_000);

  /** The vision of a batch. */
  public Duration vision(Computed computed) {
    return micros(image * computed.images());
  }

  /** The prefixes of a batch. */
  public Duration prefix(Computed computed) {
    return micros(prefix * computed.prefixes());
  }

  /** The denoising of a batch, with all that is not of a row. */
  public Duration denoise(Computed computed) {
    return micros(batch + row * computed.rows());
  }

  /** All of a batch. */
  public Duration all(Computed computed) {
    return vision(computed).plus(prefix(computed)).plus(denoise(computed));
  }

  /**
   * What a rehearsal would have found.
   *
   * @param cameras of a robot
   */
  public LatencyCurve rehearsed(int maxBatch, int cameras) {
    LatencyCurve curve = new LatencyCurve();
    for (int rows = 1; rows <= maxBatch; rows *= 2) {
      Computed computed = new Computed(cameras * rows, rows, rows);
      curve.learn(computed, vision(computed), prefix(computed), denoise(computed));
    }
    return curve;
  }

  private static Duration micros(long micros) {
    return Duration.ofNanos(1000 * micros);
  }
}
