package dev.pi0stream.model.engine;

import dev.pi0stream.device.Device;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.policy.Guidance;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.model.processor.Processor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A checkpoint's policy whose weights are on a device, with its pre- and postprocessing. */
public final class ResidentPolicy implements ServedPolicy, AutoCloseable {
  /** LeRobot's {@code RTCConfig}: its default of the greatest guidance weight and schedule. */
  private static final float MAX_GUIDANCE = 10;

  private final Device device;
  private final Policy policy;
  private final Processor processor;
  private final ReusingSampler sampler;
  private final String checkpointDigest;

  private ResidentPolicy(
      Device device,
      Policy policy,
      Processor processor,
      ReusingSampler sampler,
      String checkpointDigest) {
    this.device = device;
    this.policy = policy;
    this.processor = processor;
    this.sampler = sampler;
    this.checkpointDigest = checkpointDigest;
  }

  /** {@link #load(Checkpoint, Device, ReuseBudget)} with nothing kept from batch to batch. */
  public static ResidentPolicy load(Checkpoint checkpoint, Device device) {
    return load(checkpoint, device, ReuseBudget.NOTHING);
  }

  /**
   * Gives a checkpoint's weights to a device and, where a golden observation lies beside them, has
   * the policy prove itself on it. Called on the device's thread. The checkpoint may be closed
   * afterwards; the device is closed with the policy, also when this fails.
   *
   * @param reuse what may be kept on the device to be used again: features of pictures, keys and
   *     values of prefixes
   * @throws dev.pi0stream.model.checkpoint.CheckpointException if it could not be served
   * @throws IllegalArgumentException if the device has less memory than is to be kept
   */
  public static ResidentPolicy load(Checkpoint checkpoint, Device device, ReuseBudget reuse) {
    try {
      ResidentPolicy policy =
          load(checkpoint, Processor.open(checkpoint), checkpoint.id(), device, reuse);
      Path golden = checkpoint.folder().resolve(SelfTest.FILE);
      if (Files.exists(golden)) {
        SelfTest.read(golden).check(policy.policy, policy.processor, checkpoint.id());
      }
      return policy;
    } catch (RuntimeException | Error e) {
      device.close();
      throw e;
    }
  }

  /**
   * Gives weights to a device that no checkpoint stores.
   *
   * @param processor the way in and out of the network
   * @param digest what names the weights
   * @see #load(Checkpoint, Device, ReuseBudget)
   */
  public static ResidentPolicy load(
      PolicyWeights weights, Processor processor, String digest, Device device, ReuseBudget reuse) {
    try {
      Policy policy = Policy.load(weights, device);
      ReusingSampler sampler = new ReusingSampler(policy, reuse);
      sampler.checkBudget();
      return new ResidentPolicy(device, policy, processor, sampler, digest);
    } catch (RuntimeException | Error e) {
      device.close();
      throw e;
    }
  }

  /** The network. */
  public Policy policy() {
    return policy;
  }

  /** The way in and out of the network. */
  public Processor processor() {
    return processor;
  }

  @Override
  public List<String> cameras() {
    return processor.cameras();
  }

  @Override
  public int stateDimensions() {
    return processor.stateDimensions();
  }

  @Override
  public int horizon() {
    return policy.config().chunkSize();
  }

  @Override
  public int actionDimensions() {
    return processor.actionDimensions();
  }

  @Override
  public int noiseSize() {
    return policy.chunkNumbers();
  }

  @Override
  public String checkpointDigest() {
    return checkpointDigest;
  }

  @Override
  public String deviceLabel() {
    return device.name() + "/" + device.precision().label();
  }

  @Override
  public Optional<String> refusal(Observation observation) {
    return processor.refusal(observation);
  }

  @Override
  public ModelInput prepare(Observation observation) {
    return processor.prepare(observation);
  }

  @Override
  public Inference infer(List<Sample> batch) {
    return sampler.sample(batch, policy.config().inferenceSteps());
  }

  @Override
  public Work work(ModelInput input) {
    return sampler.work(input);
  }

  @Override
  public Device.Usage memory() {
    Device.Usage all = device.usage();
    return new Device.Usage(
        all.weights(), all.values(), all.resources() - sampler.counts().entries());
  }

  @Override
  public Device.Measurements measurements() {
    return device.measurements();
  }

  @Override
  public ReuseCounts reuse() {
    return sampler.counts();
  }

  @Override
  public LatencyCurve rehearse(int maxBatch, Duration limit) {
    try {
      LatencyCurve curve =
          new Rehearsal(
                  this::infer, new IdentityNoise(0), noiseSize(), maxBatch, sampler::forget, limit)
              .run(this::madeUp);
      sampler.checkBudget();
      return curve;
    } finally {
      sampler.forget();
    }
  }

  /** An input that no robot sends: each number has other pictures. */
  private ModelInput madeUp(int number) {
    return prepare(SelfTest.observation(processor, number * processor.cameras().size()));
  }

  @Override
  public Guidance guidance(ChunkInExecution execution, Observation observation) {
    int columns = actionDimensions();
    int steps = execution.remaining().length / columns;
    if (steps * columns != execution.remaining().length) {
      throw new IllegalArgumentException(
          "the rest of the chunk in execution has %d numbers: expected %d for each step"
              .formatted(execution.remaining().length, columns));
    }
    if (steps > horizon()) {
      throw new IllegalArgumentException(
          "the rest of the chunk in execution has %d steps: expected at most %d, those of a chunk"
              .formatted(steps, horizon()));
    }
    if (execution.delay() >= horizon()) {
      throw new IllegalArgumentException(
          "the expected delay is %d steps: expected less than the %d of a chunk"
              .formatted(execution.delay(), horizon()));
    }
    return new Guidance(
        processor.modelActions(execution.remaining(), observation.state()),
        steps,
        columns,
        execution.delay(),
        execution.executionHorizon(),
        Guidance.Schedule.LINEAR,
        MAX_GUIDANCE);
  }

  @Override
  public float[] actions(float[] x, Observation observation) {
    return processor.actions(x, horizon(), observation.state());
  }

  /** Frees the weights and closes the device. */
  @Override
  public void close() {
    sampler.close();
    policy.close();
    device.close();
  }
}
