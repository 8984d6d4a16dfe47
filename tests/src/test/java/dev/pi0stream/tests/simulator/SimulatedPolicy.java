package dev.pi0stream.tests.simulator;

import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A policy whose actions depend on all that an observation consists of: noise, state, prompt and
 * every pixel. A state that begins with −1 is refused, one with −2 cannot be prepared.
 */
class SimulatedPolicy implements ServedPolicy {
  static final int HORIZON = 2;
  static final int DIMENSIONS = 2;

  @Override
  public List<String> cameras() {
    return List.of("top", "wrist");
  }

  @Override
  public int stateDimensions() {
    return 2;
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
    return HORIZON * DIMENSIONS;
  }

  @Override
  public String checkpointDigest() {
    return "simulated";
  }

  @Override
  public String deviceLabel() {
    return "reference/simulated";
  }

  @Override
  public Optional<String> refusal(Observation observation) {
    return observation.state()[0] == -1 ? Optional.of("the state is refused") : Optional.empty();
  }

  @Override
  public ModelInput prepare(Observation observation) {
    if (observation.state()[0] == -2) {
      throw new IllegalArgumentException("the state cannot be prepared");
    }
    List<ModelInput.Image> images = new ArrayList<>();
    for (Map.Entry<String, Frame> frame : new TreeMap<>(observation.frames()).entrySet()) {
      byte[] data = frame.getValue().data();
      float[] pixels = new float[data.length];
      for (int i = 0; i < data.length; i++) {
        pixels[i] = data[i];
      }
      images.add(new ModelInput.Image(frame.getKey(), pixels));
    }
    return new ModelInput(
        images, observation.prompt().chars().toArray(), observation.state().clone());
  }

  @Override
  public Inference infer(List<Sample> batch) {
    return new Inference(
        new ArrayList<>(batch.stream().map(SimulatedPolicy::x).toList()),
        Duration.ZERO,
        Duration.ZERO,
        Duration.ZERO);
  }

  private static float[] x(Sample sample) {
    double sum = 0;
    for (float number : sample.input().state()) {
      sum = 3 * sum + number;
    }
    for (int token : sample.input().tokens()) {
      sum += 0.01 * token;
    }
    for (ModelInput.Image image : sample.input().images()) {
      for (float pixel : image.pixels()) {
        sum = 1.5 * sum + pixel;
      }
    }
    float[] x = sample.noise().clone();
    for (int i = 0; i < x.length; i++) {
      x[i] += (float) sum * (i + 1);
    }
    return x;
  }

  @Override
  public float[] actions(float[] x, Observation observation) {
    return x.clone();
  }
}
