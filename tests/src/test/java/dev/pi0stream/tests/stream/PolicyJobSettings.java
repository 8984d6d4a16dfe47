package dev.pi0stream.tests.stream;

import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.PolicyLoader;
import java.nio.file.Path;
import java.time.Duration;

/** How these tests run the job: the shipped policy in fp32. */
record PolicyJobSettings(JobSettings job, PolicyLoader loader) {
  /**
   * So long that a test which triggers checkpoints itself sees no others; Flink takes the first of
   * them at random within an interval.
   */
  static final Duration NO_CHECKPOINTS = Duration.ofDays(365);

  /** With checkpoints at this interval. */
  static PolicyJobSettings of(EngineSpec engine, Duration checkpointInterval, PolicyLoader loader) {
    return new PolicyJobSettings(
        new JobSettings(
            engine,
            1,
            64,
            Duration.ofSeconds(60),
            checkpointInterval,
            Duration.ofMinutes(10),
            ObservationLimits.DEFAULT),
        loader);
  }

  /** The shipped policy on a device. */
  static EngineSpec engine(String device) {
    return new EngineSpec(
        Path.of("..", "examples", "checkpoint").toAbsolutePath().normalize().toString(),
        device,
        "fp32",
        4);
  }
}
