package dev.pi0stream.model.engine;

import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
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
   */
  record Inference(List<float[]> x, Duration vision, Duration prefix, Duration denoise) {}
}
