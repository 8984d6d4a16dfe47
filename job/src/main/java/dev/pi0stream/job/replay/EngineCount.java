package dev.pi0stream.job.replay;

import dev.pi0stream.model.checkpoint.PolicyWeights;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How many engines share a processor. A large policy keeps all cores busy with each product of
 * matrices. The products of a small one are over before other threads have woken up: it is computed
 * fastest by an engine for each core, each with batches of its own.
 */
public record EngineCount(int engines) {
  /** Policies of so many parameters are large: two copies would cost more than they bring. */
  private static final long LARGE = 50_000_000;

  /** Reading and decoding need some of many cores, too. */
  private static final int MOST = 8;

  public EngineCount {
    if (engines < 1) {
      throw new IllegalArgumentException("--engines is %d: expected 1 or more".formatted(engines));
    }
  }

  /** One engine. */
  public static EngineCount one() {
    return new EngineCount(1);
  }

  /** What suits a policy on this processor. */
  public static EngineCount of(PolicyWeights policy) {
    return policy.usedParameters() < LARGE
        ? new EngineCount(Math.min(MOST, Runtime.getRuntime().availableProcessors()))
        : one();
  }

  /** The devices by their names, separated by commas. */
  public String devices() {
    return engines == 1
        ? "cpu"
        : IntStream.range(0, engines).mapToObj(i -> "cpu:" + i).collect(Collectors.joining(","));
  }

  /** How many threads each has. */
  public int threads() {
    return Math.max(1, Runtime.getRuntime().availableProcessors() / engines);
  }
}
