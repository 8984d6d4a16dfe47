package dev.pi0stream.tests.stream;

import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.operators.policy.PolicyLoader;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A policy that takes everything and computes nothing: what is left is the pipeline. */
final class StubPolicy implements ServedPolicy, PolicyLoader {
  private static final long serialVersionUID = 1L;
  private static final int HORIZON = 50;
  private static final int DIMENSIONS = 14;

  @Override
  public LoadedPolicy load(EngineSpec spec) {
    return new LoadedPolicy(this, new IdentityNoise(0), () -> {});
  }

  @Override
  public List<String> cameras() {
    return List.of("top");
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
    return new ModelInput(List.of(), new int[0], new float[0]);
  }

  @Override
  public Inference infer(List<Sample> batch) {
    return new Inference(
        batch.stream().map(_ -> new float[HORIZON * DIMENSIONS]).toList(),
        Duration.ZERO,
        Duration.ZERO,
        Duration.ZERO);
  }

  @Override
  public float[] actions(float[] x, Observation observation) {
    return x;
  }
}
