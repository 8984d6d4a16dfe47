package dev.pi0stream.model.engine;

import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
import java.util.List;

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

  /** The most tokens that a prompt may have, its beginning-of-sequence token among them. */
  int promptLimit();

  /** The tokens that an observation's prompt has before it is cut to {@link #promptLimit()}. */
  int promptTokens(Observation observation);

  /** SHA-256 of the checkpoint's weights and configuration, in hex. */
  String checkpointDigest();

  /** What computes, as back end and precision: {@code cpu/fp32}. */
  String deviceLabel();

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
