package dev.pi0stream.operators.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.model.checkpoint.RandomWeights;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ResidentPolicy;
import dev.pi0stream.model.processor.Processor;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Loads weights that are made up, for measurements, in place of a checkpoint's; cameras, statistics
 * and tokenizer are the checkpoint's.
 */
public final class RandomWeightsLoader implements PolicyLoader {
  private static final long serialVersionUID = 1L;
  private static final long SEED = 0;

  private final RandomWeights.Size size;

  public RandomWeightsLoader(RandomWeights.Size size) {
    this.size = size;
  }

  /** Weights of a size for the robots of the checkpoint in a folder. */
  public static RandomWeights weights(RandomWeights.Size size, Path folder) {
    return RandomWeights.of(size, folder, SEED);
  }

  /** What stands for the digest of a checkpoint. */
  public static String digest(RandomWeights.Size size) {
    return "random weights, %s, seed %d".formatted(size.name().toLowerCase(Locale.ROOT), SEED);
  }

  @Override
  public LoadedPolicy load(EngineSpec spec) {
    Path folder = Path.of(spec.checkpoint());
    try (RandomWeights weights = weights(size, folder)) {
      Processor processor = Processor.open(folder, weights);
      Device device =
          CheckpointLoader.open(spec.device(), spec.precision(), CheckpointLoader.ALL_THREADS);
      ResidentPolicy policy =
          ResidentPolicy.load(weights, processor, digest(size), device, spec.reuse());
      return new LoadedPolicy(policy, new IdentityNoise(CheckpointLoader.NOISE_SEED), policy);
    }
  }
}
