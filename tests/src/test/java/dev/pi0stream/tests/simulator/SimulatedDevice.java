package dev.pi0stream.tests.simulator;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.model.engine.DispatchRule;
import dev.pi0stream.model.engine.LatencyCurve;
import dev.pi0stream.model.engine.PolicyEngine;
import dev.pi0stream.model.engine.Reuse;
import dev.pi0stream.model.engine.Work;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.PixelDigest;
import dev.pi0stream.model.policy.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Executor;

/**
 * A policy on a device that takes time: so much for each picture and prefix that it has not seen,
 * for a batch and for each of its rows. It may be told to fail or to hang with its next batch.
 */
final class SimulatedDevice extends SimulatedPolicy implements Executor {
  private final VirtualTime time;
  private final SplittableRandom random;
  private final DeviceCosts costs;
  private final Set<PixelDigest> seen = new HashSet<>();
  private final Set<List<PixelDigest>> read = new HashSet<>();
  private List<DispatchRule.Candidate> chosen = List.of();
  private boolean failing;
  private boolean hanging;
  private boolean swapping;

  SimulatedDevice(VirtualTime time, SplittableRandom random, DeviceCosts costs) {
    this.time = time;
    this.random = random;
    this.costs = costs;
  }

  /** A rule, overheard: the device learns from it how long its next batch takes. */
  DispatchRule overhear(DispatchRule rule) {
    return (List<DispatchRule.Candidate> waiting,
        Instant now,
        LatencyCurve curve,
        int maxBatch) -> {
      DispatchRule.Choice choice = rule.choose(waiting, now, curve, maxBatch);
      chosen = choice.batch();
      return choice;
    };
  }

  void failNextBatch() {
    failing = true;
  }

  void hangWithNextBatch() {
    hanging = true;
  }

  void swapRowsOfNextBatch() {
    swapping = true;
  }

  boolean isSwapping() {
    return swapping;
  }

  /** Runs what {@link PolicyEngine} gives it when the batch that was chosen last is over. */
  @Override
  public void execute(Runnable batch) {
    if (hanging) {
      hanging = false;
      return;
    }
    double jitter = random.nextDouble(0.9, 1.1);
    Computed computed = computed(chosen.stream().map(DispatchRule.Candidate::work).toList());
    time.after(Duration.ofNanos(Math.round(jitter * costs.all(computed).toNanos())), batch);
  }

  private static Computed computed(List<Work> batch) {
    return new Computed(
        batch.stream().mapToInt(Work::images).sum(),
        (int) batch.stream().filter(Work::prefix).count(),
        batch.size());
  }

  @Override
  public Work work(ModelInput input) {
    if (read.contains(prefix(input))) {
      return Work.STATE_ONLY;
    }
    int images = 0;
    for (ModelInput.Image image : input.images()) {
      images += seen.contains(image.digest()) ? 0 : 1;
    }
    return new Work(images, true);
  }

  private static List<PixelDigest> prefix(ModelInput input) {
    return input.images().stream().map(ModelInput.Image::digest).toList();
  }

  @Override
  public Inference infer(List<Sample> batch) {
    if (failing) {
      failing = false;
      throw new DeviceException("injected fault of the device");
    }
    Computed computed = computed(batch.stream().map(sample -> work(sample.input())).toList());
    for (Sample sample : batch) {
      seen.addAll(prefix(sample.input()));
      read.add(prefix(sample.input()));
    }
    List<float[]> x = new ArrayList<>(super.infer(batch).x());
    if (swapping && x.size() > 1) {
      swapping = false;
      Collections.swap(x, 0, 1);
    }
    return new Inference(
        x,
        costs.vision(computed),
        costs.prefix(computed),
        costs.denoise(computed),
        computed,
        Collections.nCopies(batch.size(), Reuse.NONE));
  }
}
