package dev.pi0stream.job.bench;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Scope;
import dev.pi0stream.job.verify.Difference;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The velocity of the first denoising step, from several noises: what a precision changes shows
 * there before the steps add up.
 */
final class FirstVelocity {
  private static final int SEEDS = 5;

  private FirstVelocity() {}

  /** The velocities of one robot, one for each noise. */
  static List<float[]> of(Policy policy, ModelInput input) {
    List<float[]> velocities = new ArrayList<>();
    try (Scope _ = policy.device().scope()) {
      List<Device.Rows> seen = policy.see(input.images());
      KeyValues prefix = policy.prefix(List.of(new Policy.PrefixInput(seen, input.tokens())));
      for (int seed = 0; seed < SEEDS; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] noise = new float[policy.chunkNumbers()];
        for (int i = 0; i < noise.length; i++) {
          noise[i] = (float) random.nextGaussian();
        }
        List<Sample> batch = List.of(new Sample(input, noise, null));
        float[] x = policy.denoise(List.of(new Device.Part(prefix, 0)), batch, 1).getFirst();
        // One step goes all the way: x = noise − velocity.
        for (int i = 0; i < x.length; i++) {
          x[i] = noise[i] - x[i];
        }
        velocities.add(x);
      }
    }
    return velocities;
  }

  /** The lowest correlation of two velocities from the same noise. */
  static double worstCorrelation(List<float[]> some, List<float[]> others) {
    double worst = 1;
    for (int i = 0; i < some.size(); i++) {
      worst = Math.min(worst, Difference.of(wide(some.get(i)), wide(others.get(i))).pcc());
    }
    return worst;
  }

  private static double[] wide(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }
}
