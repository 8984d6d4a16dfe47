package dev.pi0stream.model.engine;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.PixelDigest;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Samples chunks and computes nothing that is on the device already: the features of a picture
 * whose pixels were seen before, whichever robot's they are, and the keys and values of a prefix
 * whose pictures and prompt were read before. Both are found by all that they depend on, so that a
 * chunk is what it would be without them; what is not there, because it had to make room or the
 * device was opened anew, is computed again.
 *
 * <p>Used on the device's thread, but for {@link #work} and {@link #counts}.
 */
final class ReusingSampler implements AutoCloseable {
  private final Policy policy;
  private final Device device;
  private final ReuseBudget budget;
  private final DeviceCache cache = new DeviceCache();
  private final LongAdder featureHits = new LongAdder();
  private final LongAdder featureMisses = new LongAdder();
  private final LongAdder prefixHits = new LongAdder();
  private final LongAdder prefixMisses = new LongAdder();

  /**
   * A sampler that has seen nothing yet.
   *
   * @param budget for what is kept from batch to batch
   */
  ReusingSampler(Policy policy, ReuseBudget budget) {
    this.policy = policy;
    this.device = policy.device();
    this.budget = budget;
  }

  /**
   * Checks that the device has the memory that may be kept.
   *
   * @throws IllegalArgumentException where it has not
   */
  void checkBudget() {
    budget.check(device, cache.bytes());
  }

  /** What an input would take if its batch began now. May be asked while no batch runs. */
  Work work(ModelInput input) {
    if (cache.contains(ReuseKey.Prefix.of(input))) {
      return Work.STATE_ONLY;
    }
    int images = 0;
    for (ModelInput.Image image : input.images()) {
      images += cache.contains(new ReuseKey.Features(image.digest())) ? 0 : 1;
    }
    return new Work(images, true);
  }

  /** Samples a batch; called outside of any {@link Scope}. */
  ServedPolicy.Inference sample(List<Sample> batch, int steps) {
    List<ReuseKey.Prefix> keys =
        batch.stream().map(sample -> ReuseKey.Prefix.of(sample.input())).toList();
    Map<ReuseKey.Prefix, ModelInput> unread = new LinkedHashMap<>();
    Map<PixelDigest, ModelInput.Image> unseen = new LinkedHashMap<>();
    List<Reuse> reuse = new ArrayList<>();
    for (int row = 0; row < keys.size(); row++) {
      reuse.add(look(keys.get(row), batch.get(row).input(), unread, unseen));
    }
    long begun = System.nanoTime();
    see(List.copyOf(unseen.values()));
    device.synchronize();
    long saw = System.nanoTime();
    read(unread);
    device.synchronize();
    long read = System.nanoTime();
    List<Device.Part> prefixes =
        keys.stream().map(key -> new Device.Part((KeyValues) cache.get(key), 0)).toList();
    List<float[]> x = policy.denoise(prefixes, batch, steps);
    cache.trim(budget.bytes(device, cache.bytes()));
    long done = System.nanoTime();
    return new ServedPolicy.Inference(
        x,
        Duration.ofNanos(saw - begun),
        Duration.ofNanos(read - saw),
        Duration.ofNanos(done - read),
        new ServedPolicy.Computed(unseen.size(), unread.size(), batch.size()),
        reuse);
  }

  /** Notes what a row lacks, and tells what it has. */
  private Reuse look(
      ReuseKey.Prefix key,
      ModelInput input,
      Map<ReuseKey.Prefix, ModelInput> unread,
      Map<PixelDigest, ModelInput.Image> unseen) {
    // A lookup is a use: what this batch needs is the last that makes room.
    if (cache.get(key) != null) {
      prefixHits.increment();
      return new Reuse(input.images().size(), true);
    }
    prefixMisses.increment();
    unread.putIfAbsent(key, input);
    int seen = 0;
    for (ModelInput.Image image : input.images()) {
      if (cache.get(new ReuseKey.Features(image.digest())) != null) {
        seen++;
      } else {
        unseen.putIfAbsent(image.digest(), image);
      }
    }
    featureHits.add(seen);
    featureMisses.add(input.images().size() - seen);
    return new Reuse(seen, false);
  }

  /** Each picture's features become a tensor of their own, so that each can make room alone. */
  private void see(List<ModelInput.Image> images) {
    if (images.isEmpty()) {
      return;
    }
    try (Scope scope = device.scope()) {
      List<Device.Rows> seen = policy.see(images);
      for (int i = 0; i < images.size(); i++) {
        long before = device.usage().values();
        Tensor own = scope.keep(device.rows(List.of(List.of(seen.get(i)))));
        cache.put(
            new ReuseKey.Features(images.get(i).digest()), own, device.usage().values() - before);
      }
    }
  }

  /** Each prefix becomes keys and values of its own, for the same reason. */
  private void read(Map<ReuseKey.Prefix, ModelInput> inputs) {
    if (inputs.isEmpty()) {
      return;
    }
    List<ReuseKey.Prefix> keys = List.copyOf(inputs.keySet());
    List<Policy.PrefixInput> prefixes =
        inputs.values().stream()
            .map(input -> new Policy.PrefixInput(features(input), input.tokens()))
            .toList();
    try (Scope scope = device.scope()) {
      KeyValues all = policy.prefix(prefixes);
      for (int i = 0; i < keys.size(); i++) {
        KeyValues own = device.join(List.of(List.of(new Device.Part(all, i))));
        cache.put(keys.get(i), scope.keep(own), own.bytes());
      }
    }
  }

  private List<Device.Rows> features(ModelInput input) {
    return input.images().stream()
        .map(image -> Device.Rows.of((Tensor) cache.get(new ReuseKey.Features(image.digest()))))
        .toList();
  }

  /** How often something was found; may be asked by any thread. */
  ReuseCounts counts() {
    return new ReuseCounts(
        featureHits.sum(),
        featureMisses.sum(),
        prefixHits.sum(),
        prefixMisses.sum(),
        cache.evictions(),
        cache.size(),
        cache.bytes());
  }

  /** Forgets what was seen and how often, as if nothing had been. */
  void forget() {
    cache.close();
    for (LongAdder count : List.of(featureHits, featureMisses, prefixHits, prefixMisses)) {
      count.reset();
    }
  }

  /** Frees what is kept. */
  @Override
  public void close() {
    cache.close();
  }
}
