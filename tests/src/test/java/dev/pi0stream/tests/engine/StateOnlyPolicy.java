package dev.pi0stream.tests.engine;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.job.bench.MadeUpBatch;
import dev.pi0stream.model.engine.Reuse;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.engine.Work;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A network without a processor, for robots whose pictures and prompts stay: the prefix of each is
 * on the device, and a chunk is denoised from its new state. The first number of a robot's state is
 * its own number.
 */
final class StateOnlyPolicy implements ServedPolicy {
  private final Policy policy;
  private final List<KeyValues> prefixes = new ArrayList<>();

  /** Reads a prefix and keeps it once for each robot. Called on the device's thread. */
  StateOnlyPolicy(Policy policy, int cameras, int robots) {
    this.policy = policy;
    Device device = policy.device();
    ModelInput input =
        MadeUpBatch.of(policy, cameras, policy.config().maxTokens(), 1).getFirst().input();
    try (var scope = device.scope()) {
      List<Device.Rows> seen = policy.see(input.images());
      KeyValues read = policy.prefix(List.of(new Policy.PrefixInput(seen, input.tokens())));
      for (int robot = 0; robot < robots; robot++) {
        prefixes.add(scope.keep(device.join(List.of(List.of(new Device.Part(read, 0))))));
      }
    }
  }

  @Override
  public List<String> cameras() {
    return policy.config().cameras();
  }

  @Override
  public int stateDimensions() {
    return 1;
  }

  @Override
  public int horizon() {
    return policy.config().chunkSize();
  }

  @Override
  public int actionDimensions() {
    return policy.config().maxActionDimension();
  }

  @Override
  public int noiseSize() {
    return policy.chunkNumbers();
  }

  @Override
  public String checkpointDigest() {
    return "random";
  }

  @Override
  public String deviceLabel() {
    return policy.device().name() + "/" + policy.device().precision().label();
  }

  @Override
  public Optional<String> refusal(Observation observation) {
    return Optional.empty();
  }

  /** The robot's number takes the place of the tokens. */
  @Override
  public ModelInput prepare(Observation observation) {
    return new ModelInput(
        List.of(), new int[] {(int) observation.state()[0]}, new float[policy.stateNumbers()]);
  }

  @Override
  public Work work(ModelInput input) {
    return Work.STATE_ONLY;
  }

  @Override
  public Inference infer(List<Sample> batch) {
    long begun = System.nanoTime();
    List<float[]> x =
        policy.denoise(
            batch.stream()
                .map(sample -> new Device.Part(prefixes.get(sample.input().tokens()[0]), 0))
                .toList(),
            batch,
            policy.config().inferenceSteps());
    return new Inference(
        x,
        Duration.ZERO,
        Duration.ZERO,
        Duration.ofNanos(System.nanoTime() - begun),
        new Computed(0, 0, batch.size()),
        Collections.nCopies(batch.size(), Reuse.NONE));
  }

  @Override
  public float[] actions(float[] x, Observation observation) {
    return x;
  }

  /** Frees the prefixes. Called on the device's thread. */
  void close() {
    prefixes.forEach(KeyValues::close);
  }
}
