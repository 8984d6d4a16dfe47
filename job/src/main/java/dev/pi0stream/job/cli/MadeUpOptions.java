package dev.pi0stream.job.cli;

import dev.pi0stream.model.checkpoint.PolicyConfig;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The size of observations that are made up to be computed with; taken in by {@code @Mixin}. */
final class MadeUpOptions {
  private static final int MOST_CAMERAS = 3;
  private static final int MOST_ROBOTS = 32;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--cameras",
      paramLabel = "N",
      defaultValue = "3",
      description = "Cameras of a robot, 1 to 3 (default: ${DEFAULT-VALUE}).")
  private int cameras;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      description = "Tokens of a prompt (default: as many as the policy takes).")
  private Integer tokens;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "1",
      description = "Robots at a time, 1 to 32 (default: ${DEFAULT-VALUE}).")
  private int batch;

  /**
   * Refuses what is out of range.
   *
   * @throws picocli.CommandLine.ParameterException naming the option and its range
   */
  void check() {
    NumberRange.of(1, MOST_CAMERAS).require(command, "--cameras", cameras);
    NumberRange.of(1, MOST_ROBOTS).require(command, "--batch", batch);
    NumberRange.from(0).require(command, "--tokens", tokens == null ? 0 : tokens);
  }

  /** Cameras of each robot. */
  int cameras() {
    return cameras;
  }

  /** Tokens of each robot's prompt, for a policy. */
  int tokens(PolicyConfig policy) {
    return tokens == null ? policy.maxTokens() : tokens;
  }

  /** Robots at a time. */
  int batch() {
    return batch;
  }
}
