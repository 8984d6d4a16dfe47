package dev.pi0stream.job.run;

import dev.pi0stream.job.configuration.Configuration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What is run.
 *
 * @param checkpoint folder of the policy
 * @param robots directory of the dataset whose episodes are played
 * @param device name of the back end
 * @param precision label of the precision
 * @param deviceReason why it is this device, for the person who runs it
 * @param speed of the robots; 1 is that of the dataset
 * @param duration from the first observation on; empty for until it is stopped
 * @param cameras the dataset's camera by the policy's, where the names differ
 * @param telemetry whether the job sums up what each robot experiences
 * @param kafka host and port of a broker; empty for one in the process
 * @param kafkaPort of the broker in the process; 0 for any free one
 * @param webPort of Flink's web UI; 0 for any free one
 * @param metricsPort where Prometheus may ask for metrics; 0 for nowhere
 * @param robotsOnly whether the job is another's, which runs already; needs a broker
 * @param maxBatch the most robots of one batch
 * @param record folder for a recording of the topics; empty for none
 * @param configuration everything else
 */
public record RunSettings(
    Path checkpoint,
    Path robots,
    String device,
    String precision,
    String deviceReason,
    double speed,
    Optional<Duration> duration,
    Map<String, String> cameras,
    boolean telemetry,
    Optional<String> kafka,
    int kafkaPort,
    int webPort,
    int metricsPort,
    boolean robotsOnly,
    int maxBatch,
    Optional<Path> record,
    Configuration configuration) {
  public RunSettings {
    if (!(speed > 0) || !Double.isFinite(speed)) {
      throw new IllegalArgumentException("speed is %s: expected more than 0".formatted(speed));
    }
    if (robotsOnly && kafka.isEmpty()) {
      throw new IllegalArgumentException(
          "robots alone need a Kafka broker that a job reads from: expected --kafka HOST:PORT, or"
              + " kafka.bootstrap-servers in the settings");
    }
    if (maxBatch < 1) {
      throw new IllegalArgumentException(
          "--max-batch is %d: expected 1 or more".formatted(maxBatch));
    }
    cameras = Map.copyOf(cameras);
  }
}
