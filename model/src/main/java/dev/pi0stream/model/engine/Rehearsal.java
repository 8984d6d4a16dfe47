package dev.pi0stream.model.engine;

import dev.pi0stream.model.engine.ServedPolicy.Computed;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * Runs a policy on made-up inputs before robots wait for it: what the JVM and the device's library
 * compile on first use is compiled, and the latency curve is known from the first robot on.
 *
 * <p>A pass runs batches of 1, 2, 4 … rows, each once with new pictures and once with the same
 * pictures and other noise, as of a robot whose cameras stood still. Passes are repeated until one
 * is hardly faster than the one before, or the time is up; of each stage and size the fastest time
 * counts, since whatever else the machine did made the others slower.
 */
final class Rehearsal {
  /** A pass that takes more than this of the one before is as fast as it gets. */
  private static final double SETTLED = 0.95;

  private final ServedPolicy policy;
  private final Noise noise;
  private final int maxBatch;
  private final long deadline;
  private final Map<Integer, Duration> vision = new TreeMap<>();
  private final Map<Integer, Duration> prefix = new TreeMap<>();
  private final Map<Integer, Duration> denoise = new TreeMap<>();
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
    double before = Double.POSITIVE_INFINITY;
    double took = 0;
    while (!isOver() && took <= SETTLED * before) {
      before = took == 0 ? before : took;
      took = pass(madeUp);
    }
    LatencyCurve curve = new LatencyCurve();
    vision.forEach(
        (items, time) ->
            curve.learn(new Computed(items, 0, 0), time, Duration.ZERO, Duration.ZERO));
    prefix.forEach(
        (items, time) ->
            curve.learn(new Computed(0, items, 0), Duration.ZERO, time, Duration.ZERO));
    denoise.forEach(
        (items, time) ->
            curve.learn(new Computed(0, 0, items), Duration.ZERO, Duration.ZERO, time));
    return curve;
  }

  private double pass(IntFunction<ModelInput> madeUp) {
    double nanos = 0;
    for (int rows = 1; !isOver(); rows = Math.min(2 * rows, maxBatch)) {
      List<ModelInput> batch = new ArrayList<>();
      while (batch.size() < rows) {
        batch.add(madeUp.apply(inputs++));
      }
      nanos += infer(batch) + infer(batch);
      if (rows == maxBatch) {
        break;
      }
    }
    return nanos;
  }

  private double infer(List<ModelInput> batch) {
    List<Sample> samples = new ArrayList<>();
    for (ModelInput input : batch) {
      ObservationId id = new ObservationId("rehearsal", "rehearsal", samples.size());
      samples.add(new Sample(input, noise.draw(id, policy.noiseSize()), null));
    }
    ServedPolicy.Inference inference = policy.infer(samples);
    Computed computed = inference.computed();
    keepFastest(vision, computed.images(), inference.vision());
    keepFastest(prefix, computed.prefixes(), inference.prefix());
    keepFastest(denoise, computed.rows(), inference.denoise());
    return inference.vision().plus(inference.prefix()).plus(inference.denoise()).toNanos();
  }

  private static void keepFastest(Map<Integer, Duration> stage, int items, Duration time) {
    if (items > 0) {
      stage.merge(items, time, (one, other) -> one.compareTo(other) < 0 ? one : other);
    }
  }

  private boolean isOver() {
    return System.nanoTime() - deadline >= 0;
  }
}
