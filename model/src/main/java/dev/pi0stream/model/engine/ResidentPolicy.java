package dev.pi0stream.model.engine;

import dev.pi0stream.device.Device;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.model.processor.Processor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A checkpoint's policy whose weights are on a device, with its pre- and postprocessing. */
public final class ResidentPolicy implements ServedPolicy, AutoCloseable {
  private final Device device;
  private final Policy policy;
  private final Processor processor;
  private final String checkpointDigest;

  private ResidentPolicy(
      Device device, Policy policy, Processor processor, String checkpointDigest) {
    this.device = device;
    this.policy = policy;
    this.processor = processor;
    this.checkpointDigest = checkpointDigest;
  }

  /**
   * Gives a checkpoint's weights to a device and, where a golden observation lies beside them, has
   * the policy prove itself on it. Called on the device's thread. The checkpoint may be closed
   * afterwards; the device is closed with the policy, also when this fails.
   *
   * @throws dev.pi0stream.model.checkpoint.CheckpointException if it could not be served
   */
  public static ResidentPolicy load(Checkpoint checkpoint, Device device) {
    try {
      Processor processor = Processor.open(checkpoint);
      Policy policy = Policy.load(checkpoint, device);
      Path golden = checkpoint.folder().resolve(SelfTest.FILE);
      if (Files.exists(golden)) {
        SelfTest.read(golden).check(policy, processor, checkpoint.id());
      }
      return new ResidentPolicy(device, policy, processor, checkpoint.id());
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
    Policy.Chunks chunks = policy.sample(batch, policy.config().inferenceSteps());
    return new Inference(chunks.x(), chunks.vision(), chunks.prefix(), chunks.denoise());
  }

  @Override
  public float[] actions(float[] x, Observation observation) {
    return processor.actions(x, horizon(), observation.state());
  }

  /** Frees the weights and closes the device. */
  @Override
  public void close() {
    policy.close();
    device.close();
  }
}
