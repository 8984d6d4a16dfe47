package dev.pi0stream.job.bench;

/**
 * What is measured.
 *
 * @param cameras of each robot
 * @param tokens of each robot's prompt
 * @param batch robots at a time
 * @param steps of Euler's method
 * @param runs that count
 * @param warmup runs before those
 */
public record BenchSettings(
    int cameras, int tokens, int batch, int steps, int runs, int warmup, Scope scope) {
  /** What of a chunk is computed anew in every run. */
  public enum Scope {
    /** Everything. */
    FULL,
    /** One camera's features, prefix and denoising; the other cameras' features are reused. */
    ONE_CAMERA,
    /** Denoising; the prefix is reused. */
    STATE
  }
}
