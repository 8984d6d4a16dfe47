package dev.pi0stream.job.graph;

import java.util.List;

/**
 * Where observations come from and chunks go to.
 *
 * @param bootstrapServers host and port of brokers, separated by commas
 * @param observations topic of the robots' observations
 * @param chunks topic of the action chunks
 * @param outcomes topic of the observations that led to no chunk
 * @param telemetry topic of what robots experienced
 * @param group consumer group, under which offsets are committed
 * @param start where a job without a checkpoint begins to read
 */
public record KafkaSettings(
    String bootstrapServers,
    String observations,
    String chunks,
    String outcomes,
    String telemetry,
    String group,
    Start start) {

  /** Where a job without a checkpoint begins to read. */
  public enum Start {
    /** With the oldest record that the broker still has. */
    EARLIEST,
    /** With what arrives after its start. */
    LATEST,
    /** Where the group's committed offsets are; with the oldest record where there are none. */
    COMMITTED
  }

  /** Settings with the usual topic for telemetry. */
  public KafkaSettings(
      String bootstrapServers,
      String observations,
      String chunks,
      String outcomes,
      String group,
      Start start) {
    this(bootstrapServers, observations, chunks, outcomes, "telemetry", group, start);
  }

  /**
   * The usual topics, {@code observations}, {@code chunks}, {@code outcomes} and {@code telemetry},
   * from now on.
   */
  public static KafkaSettings defaults(String bootstrapServers) {
    return new KafkaSettings(
        bootstrapServers,
        "observations",
        "chunks",
        "outcomes",
        "telemetry",
        "pi0-stream",
        Start.LATEST);
  }

  /** The topics that the job reads and writes. */
  public List<String> topics() {
    return List.of(observations, chunks, outcomes, telemetry);
  }

  /** The same with another start. */
  public KafkaSettings startingAt(Start another) {
    return new KafkaSettings(
        bootstrapServers, observations, chunks, outcomes, telemetry, group, another);
  }
}
