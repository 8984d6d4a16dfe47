package dev.pi0stream.tests;

import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.model.engine.ResidentPolicy;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The policy in {@code examples/checkpoint} on a device, asked directly: no engine, no Flink. */
final class ShippedPolicy implements AutoCloseable {
  private static final Path CHECKPOINT = Path.of("../examples/checkpoint");
  private static final int BATCH = 8;

  private final ResidentPolicy policy;
  private final int steps;

  private ShippedPolicy(ResidentPolicy policy, int steps) {
    this.policy = policy;
    this.steps = steps;
  }

  /** Loads it in fp32. */
  static ShippedPolicy open(String device) {
    return open(device, 10);
  }

  /**
   * Loads it in fp32.
   *
   * @param steps of denoising
   */
  static ShippedPolicy open(String device, int steps) {
    try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINT)) {
      return new ShippedPolicy(
          ResidentPolicy.load(checkpoint, Devices.open(device, Precision.FP32)), steps);
    }
  }

  /**
   * Chunks in the robot's units, each from its noise.
   *
   * @return for each observation horizon × action dimensions, step after step
   */
  List<float[]> chunks(List<Observation> observations, List<float[]> noise) {
    List<float[]> chunks = new ArrayList<>();
    for (int start = 0; start < observations.size(); start += BATCH) {
      int end = Math.min(start + BATCH, observations.size());
      List<Sample> batch = new ArrayList<>();
      for (int i = start; i < end; i++) {
        batch.add(new Sample(policy.prepare(observations.get(i)), noise.get(i), null));
      }
      List<float[]> x = policy.policy().sample(batch, steps).x();
      for (int i = start; i < end; i++) {
        chunks.add(policy.actions(x.get(i - start), observations.get(i)));
      }
    }
    return chunks;
  }

  /** The numbers of a stored tensor, cut along its first dimension. */
  static List<float[]> rows(StoredTensor tensor) {
    float[] all = tensor.floats();
    int rows = tensor.shape().getFirst();
    int width = all.length / rows;
    List<float[]> parts = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      parts.add(Arrays.copyOfRange(all, row * width, (row + 1) * width));
    }
    return parts;
  }

  @Override
  public void close() {
    policy.close();
  }
}
