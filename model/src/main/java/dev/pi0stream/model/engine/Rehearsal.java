package dev.pi0stream.model.engine;

import dev.pi0stream.model.engine.ServedPolicy.Computed;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Runs a policy on made-up inputs before robots wait for it: what the JVM and the device's library
 * compile on first use is compiled, and the latency curve is known from the first robot on.
 *
 * <p>The first pass runs batches of 1, 2, 4 … rows, each with new pictures and then again, as of
 * robots whose pictures stay. It is all that there is time for where a batch takes seconds. Further
 * passes run what else is served: batches of other sizes, and such in which one camera of each
 * robot has a new picture. They are repeated until they are hardly faster than before, or the time
 * is up; of each stage and size the fastest time counts, since whatever else the machine did made
 * the others slower.
 */
final class Rehearsal {
  /** A pass that takes more than this of the fastest one before is no faster. */
  private static final double FASTER = 0.95;

  /** So many passes in a row that are no faster are the end: one may have been disturbed. */
  private static final int SETTLED = 2;

  /** Up to here batches of every size are run; of larger ones powers of two, and the largest. */
  private static final int EVERY_SIZE = 8;

  private final Function<List<Sample>, ServedPolicy.Inference> policy;
  private final Noise noise;
  private final int noiseSize;
  private final int maxBatch;
  private final Runnable forgetting;
  private final long deadline;
  private final List<ModelInput> inputs = new ArrayList<>();
  private final Map<Integer, Duration> vision = new TreeMap<>();
  private final Map<Integer, Duration> prefix = new TreeMap<>();
  private final Map<Integer, Duration> denoise = new TreeMap<>();

  /**
   * A rehearsal.
   *
   * @param policy denoises a batch
   * @param noiseSize numbers of noise that a row starts from
   * @param forgetting lets the policy forget what it has seen, so that pictures are new again
   * @param limit after which no further batch is begun
   */
  Rehearsal(
      Function<List<Sample>, ServedPolicy.Inference> policy,
      Noise noise,
      int noiseSize,
      int maxBatch,
      Runnable forgetting,
      Duration limit) {
    this.policy = policy;
    this.noise = noise;
    this.noiseSize = noiseSize;
    this.maxBatch = maxBatch;
    this.forgetting = forgetting;
    this.deadline = System.nanoTime() + limit.toNanos();
  }

  /**
   * Rehearses.
   *
   * @param madeUp gives an input of other pictures for each number
   */
  LatencyCurve run(IntFunction<ModelInput> madeUp) {
    int[] powers = IntStream.iterate(1, rows -> rows < maxBatch, rows -> 2 * rows).toArray();
    int[] usual = IntStream.concat(IntStream.of(powers), IntStream.of(maxBatch)).toArray();
    int[] all =
        IntStream.concat(
                IntStream.of(usual), IntStream.rangeClosed(1, Math.min(EVERY_SIZE, maxBatch)))
            .distinct()
            .toArray();
    for (int rows : usual) {
      run(rows, false, madeUp);
    }
    double fastest = Double.POSITIVE_INFINITY;
    for (int slower = 0; slower < SETTLED && !isOver(); ) {
      double nanos = 0;
      for (int rows : all) {
        nanos += run(rows, true, madeUp);
      }
      slower = nanos < FASTER * fastest ? 0 : slower + 1;
      fastest = Math.min(fastest, nanos);
    }
    return curve();
  }

  private LatencyCurve curve() {
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

  /** Batches of a size; gives the nanoseconds that they took. */
  private double run(int rows, boolean oneCamera, IntFunction<ModelInput> madeUp) {
    if (isOver()) {
      return 0;
    }
    while (inputs.size() < 2 * rows) {
      inputs.add(madeUp.apply(inputs.size()));
    }
    List<ModelInput> batch = inputs.subList(0, rows);
    forgetting.run();
    double nanos = infer(batch);
    nanos += infer(batch);
    if (oneCamera && !isOver()) {
      List<ModelInput> changed = new ArrayList<>();
      for (int row = 0; row < rows; row++) {
        changed.add(withAnotherFirstPicture(batch.get(row), inputs.get(rows + row)));
      }
      nanos += infer(changed);
    }
    return nanos;
  }

  private static ModelInput withAnotherFirstPicture(ModelInput input, ModelInput other) {
    List<ModelInput.Image> images = new ArrayList<>(input.images());
    images.set(0, other.images().getFirst());
    return new ModelInput(images, input.tokens(), input.state());
  }

  private double infer(List<ModelInput> batch) {
    List<Sample> samples = new ArrayList<>();
    for (ModelInput input : batch) {
      ObservationId id = new ObservationId("rehearsal", "rehearsal", samples.size());
      samples.add(new Sample(input, noise.draw(id, noiseSize), null));
    }
    ServedPolicy.Inference inference = policy.apply(samples);
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
