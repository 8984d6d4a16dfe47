package dev.pi0stream.job.replay;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How many engines share a processor. One engine keeps all cores busy with each product of matrices
 * where a policy is large; products of a small one are over before other threads have woken up, so
 * several engines, each with batches of its own, may suit a processor of many cores better.
 */
public record EngineCount(int engines) {
  public EngineCount {
    if (engines < 1) {
      throw new IllegalArgumentException("--engines is %d: expected 1 or more".formatted(engines));
    }
  }

  /** One engine. */
  public static EngineCount one() {
    return new EngineCount(1);
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
