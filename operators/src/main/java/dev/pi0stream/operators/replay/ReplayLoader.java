package dev.pi0stream.operators.replay;

import dev.pi0stream.model.engine.FirstInFirstOut;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.operators.policy.PolicyLoader;

/**
 * Loads a policy for a replay. Its noise is that of a seed and of the observations' true names; see
 * {@link LoneIdentity}. No robot waits for it, so that batches are as large as they may be.
 */
public final class ReplayLoader implements PolicyLoader {
  private static final long serialVersionUID = 1L;

  private final PolicyLoader loader;
  private final long seed;

  /**
   * @param loader loads the policy itself
   */
  public ReplayLoader(PolicyLoader loader, long seed) {
    this.loader = loader;
    this.seed = seed;
  }

  @Override
  public LoadedPolicy load(EngineSpec spec) throws Exception {
    LoadedPolicy loaded = loader.load(spec);
    return new LoadedPolicy(
        loaded.policy(),
        LoneIdentity.noise(new IdentityNoise(seed)),
        new FirstInFirstOut(),
        loaded.device());
  }
}
