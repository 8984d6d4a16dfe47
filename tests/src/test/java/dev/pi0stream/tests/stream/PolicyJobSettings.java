package dev.pi0stream.tests.stream;

import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.PolicyLoader;
import java.nio.file.Path;
import java.time.Duration;

/** How these tests run the job: the shipped policy on the reference device. */
record PolicyJobSettings(JobSettings job, PolicyLoader loader) {
  static final EngineSpec ENGINE =
      new EngineSpec(
          Path.of("..", "examples", "checkpoint").toAbsolutePath().normalize().toString(),
          "reference",
          "fp32",
          4);

  /** With checkpoints at this interval. */
  static PolicyJobSettings every(Duration checkpointInterval, PolicyLoader loader) {
    return new PolicyJobSettings(
        new JobSettings(
            ENGINE,
            1,
            64,
            Duration.ofSeconds(60),
            checkpointInterval,
            Duration.ofMinutes(10),
            ObservationLimits.DEFAULT),
        loader);
  }
}
