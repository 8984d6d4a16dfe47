package dev.pi0stream.model.engine;

import dev.pi0stream.device.Device;
import dev.pi0stream.model.policy.Guidance;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A policy as the engine sees it: what it takes, and its three steps. {@link #prepare} and {@link
 * #actions} run on any thread, several at a time; {@link #infer} on the device's thread alone.
 */
public interface ServedPolicy {
  /** The cameras that it knows, in its own order, without {@code observation.images.}. */
  List<String> cameras();

  /** Numbers of a robot's state. */
  int stateDimensions();

  /** The number of actions in a chunk. */
  int horizon();

  /** Numbers of an action. */
  int actionDimensions();

  /** Numbers of noise that one row starts from: horizon × the model's action columns. */
  int noiseSize();

  /** SHA-256 of the checkpoint's weights and configuration, in hex. */
  String checkpointDigest();

  /** What computes, as back end and precision: {@code cpu/fp32}. */
  String deviceLabel();

  /**
   * Why a robot should not be served with an observation, in one sentence, though the network would
   * compute something: a prompt that would be cut, a camera that it does not know, and the like.
   * Frames are not decoded for it.
   */
  Optional<String> refusal(Observation observation);

  /**
   * Decodes, resizes, normalises and tokenises.
   *
   * @throws IllegalArgumentException with one sentence where the observation cannot be served
   */
  ModelInput prepare(Observation observation);

  /** Denoises a batch on the device. */
  Inference infer(List<Sample> batch);

  /**
   * What an input would take if its batch began now. May be asked by any thread while no batch
   * runs.
   */
  default Work work(ModelInput input) {
    return new Work(input.images().size(), true);
  }

  /** How often something was found on the device; may be asked by any thread at any time. */
  default ReuseCounts reuse() {
    return ReuseCounts.NONE;
  }

  /**
   * What the policy and its batches take on the device now; asked on the device's thread. What is
   * kept to be used again counts in bytes, but not among the resources: their number tells a leak.
   */
  default Device.Usage memory() {
    return new Device.Usage(0, 0, 0);
  }

  /** What the device did since it was opened; asked on the device's thread. */
  default Device.Measurements measurements() {
    return Device.Measurements.NONE;
  }

  /**
   * Runs batches of made-up observations, so that what compiles or settles on first use has done so
   * before a robot waits for it, and takes their times. Called on the device's thread, before the
   * first {@link #infer}.
   *
   * @param maxBatch the largest batch
   * @param limit after which no further batch is begun
   * @return how long batches take; knows nothing where nothing was run
   * @throws IllegalArgumentException if the device has no memory for what was asked of it
   */
  default LatencyCurve rehearse(int maxBatch, Duration limit) {
    return new LatencyCurve();
  }

  /**
   * The leftover of the chunk that a robot is executing, as the network wants it.
   *
   * @throws IllegalArgumentException with one sentence where it does not fit the policy
   */
  default Guidance guidance(ChunkInExecution execution, Observation observation) {
    throw new IllegalArgumentException("real-time chunking is not known to this policy");
  }

  /**
   * Actions in the robot's units.
   *
   * @param x what {@link #infer} gave for the observation
   * @return horizon × action dimensions, step after step
   */
  float[] actions(float[] x, Observation observation);

  /**
   * What a batch gave.
   *
   * @param x for each row, horizon × the model's action columns in model units, step after step
   * @param computed what the times are of
   * @param reuse for each row
   */
  record Inference(
      List<float[]> x,
      Duration vision,
      Duration prefix,
      Duration denoise,
      Computed computed,
      List<Reuse> reuse) {
    /** A batch whose rows have one picture each and share nothing. */
    public Inference(List<float[]> x, Duration vision, Duration prefix, Duration denoise) {
      this(
          x,
          vision,
          prefix,
          denoise,
          new Computed(x.size(), x.size(), x.size()),
          Collections.nCopies(x.size(), Reuse.NONE));
    }
  }

  /**
   * What a batch took.
   *
   * @param images pictures that were seen
   * @param prefixes that were read
   * @param rows that were denoised
   */
  record Computed(int images, int prefixes, int rows) {}
}
