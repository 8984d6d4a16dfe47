package dev.pi0stream.tests.stream;

import dev.pi0stream.model.engine.LatencyCurve;
import dev.pi0stream.model.engine.Reuse;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.engine.Work;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.PixelDigest;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.tests.simulator.DeviceCosts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * A policy that takes everything and computes nothing, in the time that a device would take: what
 * is measured with it is all besides the network. Pictures whose first bytes are equal are the same
 * ones.
 */
class StubPolicy implements ServedPolicy {
  private static final int HORIZON = 50;
  private static final int DIMENSIONS = 14;

  /** So much of a picture tells it from others. */
  private static final int BYTES = 24;

  private final List<String> cameras;
  private final DeviceCosts costs;
  private final Set<PixelDigest> seen = ConcurrentHashMap.newKeySet();
  private final Set<List<PixelDigest>> read = ConcurrentHashMap.newKeySet();

  StubPolicy(List<String> cameras, DeviceCosts costs) {
    this.cameras = cameras;
    this.costs = costs;
  }

  @Override
  public List<String> cameras() {
    return cameras;
  }

  @Override
  public int stateDimensions() {
    return 3;
  }

  @Override
  public int horizon() {
    return HORIZON;
  }

  @Override
  public int actionDimensions() {
    return DIMENSIONS;
  }

  @Override
  public int noiseSize() {
    return 1;
  }

  @Override
  public String checkpointDigest() {
    return "stub";
  }

  @Override
  public String deviceLabel() {
    return "stub/fp32";
  }

  @Override
  public Optional<String> refusal(Observation observation) {
    return Optional.empty();
  }

  @Override
  public ModelInput prepare(Observation observation) {
    List<ModelInput.Image> images = new ArrayList<>();
    for (Map.Entry<String, Frame> frame : new TreeMap<>(observation.frames()).entrySet()) {
      byte[] data = frame.getValue().data();
      float[] pixels = new float[Math.min(BYTES, data.length)];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = data[i];
      }
      images.add(new ModelInput.Image(frame.getKey(), pixels));
    }
    return new ModelInput(images, new int[0], new float[0]);
  }

  private static List<PixelDigest> pictures(ModelInput input) {
    return input.images().stream().map(ModelInput.Image::digest).toList();
  }

  @Override
  public Work work(ModelInput input) {
    List<PixelDigest> pictures = pictures(input);
    return read.contains(pictures)
        ? Work.STATE_ONLY
        : new Work(
            (int) pictures.stream().filter(picture -> !seen.contains(picture)).count(), true);
  }

  @Override
  public LatencyCurve rehearse(int maxBatch, Duration limit) {
    return costs.rehearsed(maxBatch, cameras.size());
  }

  @Override
  public Inference infer(List<Sample> batch) {
    long begun = System.nanoTime();
    List<Work> works = batch.stream().map(sample -> work(sample.input())).toList();
    Computed computed =
        new Computed(
            works.stream().mapToInt(Work::images).sum(),
            (int) works.stream().filter(Work::prefix).count(),
            batch.size());
    for (Sample sample : batch) {
      List<PixelDigest> pictures = pictures(sample.input());
      seen.addAll(pictures);
      read.add(pictures);
    }
    long end = begun + costs.all(computed).toNanos();
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
    return new Inference(
        batch.stream().map(_ -> new float[HORIZON * DIMENSIONS]).toList(),
        costs.vision(computed),
        costs.prefix(computed),
        costs.denoise(computed),
        computed,
        Collections.nCopies(batch.size(), Reuse.NONE));
  }

  @Override
  public float[] actions(float[] x, Observation observation) {
    return x;
  }
}
