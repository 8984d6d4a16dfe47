package dev.pi0stream.operators.policy;

import dev.pi0stream.model.engine.DispatchRule;
import dev.pi0stream.model.engine.FewestStarved;
import dev.pi0stream.model.engine.Noise;
import dev.pi0stream.model.engine.ServedPolicy;

/**
 * A policy that is ready to serve.
 *
 * @param noise what its chunks start from
 * @param rule who is served next
 * @param device frees the policy and its device; called when nothing runs on it any more
 */
public record LoadedPolicy(
    ServedPolicy policy, Noise noise, DispatchRule rule, AutoCloseable device) {
  /** A policy for live robots: those first that would starve. */
  public LoadedPolicy(ServedPolicy policy, Noise noise, AutoCloseable device) {
    this(policy, noise, new FewestStarved(), device);
  }
}
