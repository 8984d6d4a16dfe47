package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.processor.Processor;
import java.util.HashMap;
import java.util.Map;

/** The checkpoints of a golden folder, each opened once, and the policies that cases want. */
final class LoadedPolicies implements AutoCloseable {
  private final Golden golden;
  private final Device device;
  private final Map<String, Checkpoint> checkpoints = new HashMap<>();
  private final Map<Key, Loaded> policies = new HashMap<>();

  private record Key(String checkpoint, JsonNode config) {}

  /**
   * A policy ready to run.
   *
   * @param observed the device that it runs on
   */
  record Loaded(Policy policy, Processor processor, ObservedDevice observed) {}

  LoadedPolicies(Golden golden, Device device) {
    this.golden = golden;
    this.device = device;
  }

  /** A checkpoint by its name in the manifest. */
  Checkpoint checkpoint(String name) {
    return checkpoints.computeIfAbsent(name, _ -> Checkpoint.open(golden.checkpoint(name)));
  }

  /** The policy of a case: its checkpoint with the case's overrides. */
  Loaded policy(GoldenCase entry) {
    return policies.computeIfAbsent(new Key(entry.checkpoint(), entry.config()), this::load);
  }

  private Loaded load(Key key) {
    Checkpoint checkpoint = checkpoint(key.checkpoint).with(key.config);
    ObservedDevice observed = new ObservedDevice(device);
    return new Loaded(
        Policy.load(checkpoint, observed.device()), Processor.open(checkpoint), observed);
  }

  @Override
  public void close() {
    policies.values().forEach(loaded -> loaded.policy().close());
    checkpoints.values().forEach(Checkpoint::close);
  }
}
