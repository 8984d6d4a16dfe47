package dev.pi0stream.model.engine;

import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Runs a policy on made-up inputs before robots wait for it: what the JVM and the device's library
 * compile on first use is compiled, and the latency curve is known from the first robot on.
 *
 * <p>A pass runs batches of 1, 2, 4 … rows, each once with new pictures and once with the same
 * pictures and other noise, as of a robot whose cameras stood still. Passes are repeated until one
 * is hardly faster than the one before, or the time is up; the figures are those of the last one.
 */
final class Rehearsal {
  /** A pass that takes more than this of the one before is as fast as it gets. */
  private static final double SETTLED = 0.95;

  private final ServedPolicy policy;
  private final Noise noise;
  private final int maxBatch;
  private final long deadline;
  private int inputs;

  Rehearsal(ServedPolicy policy, Noise noise, int maxBatch, Duration limit) {
    this.policy = policy;
    this.noise = noise;
    this.maxBatch = maxBatch;
    this.deadline = System.nanoTime() + limit.toNanos();
  }

  /**
   * Rehearses.
   *
   * @param madeUp gives an input of other pictures for each number
   */
  LatencyCurve run(IntFunction<ModelInput> madeUp) {
    LatencyCurve curve = new LatencyCurve();
    double before = Double.POSITIVE_INFINITY;
    while (!isOver()) {
      LatencyCurve pass = new LatencyCurve();
      double took = pass(pass, madeUp);
      // A pass that ran out of time lacks the large batches, which the one before has.
      if (!isOver() || before == Double.POSITIVE_INFINITY) {
        curve = pass;
      }
      if (took > SETTLED * before) {
        break;
      }
      before = took;
    }
    return curve;
  }

  private double pass(LatencyCurve curve, IntFunction<ModelInput> madeUp) {
    double nanos = 0;
    for (int rows = 1; !isOver(); rows = Math.min(2 * rows, maxBatch)) {
      List<ModelInput> batch = new ArrayList<>();
      while (batch.size() < rows) {
        batch.add(madeUp.apply(inputs++));
      }
      nanos += infer(batch, curve) + infer(batch, curve);
      if (rows == maxBatch) {
        break;
      }
    }
    return nanos;
  }

  private double infer(List<ModelInput> inputs, LatencyCurve curve) {
    List<Sample> batch = new ArrayList<>();
    for (ModelInput input : inputs) {
      ObservationId id = new ObservationId("rehearsal", "rehearsal", batch.size());
      batch.add(new Sample(input, noise.draw(id, policy.noiseSize()), null));
    }
    ServedPolicy.Inference inference = policy.infer(batch);
    curve.learn(inference);
    return inference.vision().plus(inference.prefix()).plus(inference.denoise()).toNanos();
  }

  private boolean isOver() {
    return System.nanoTime() - deadline >= 0;
  }
}
