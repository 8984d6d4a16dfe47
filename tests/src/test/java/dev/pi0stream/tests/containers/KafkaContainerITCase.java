package dev.pi0stream.tests.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;

/** The whole job against a broker of the published image. */
@Tag("long")
@Timeout(300)
class KafkaContainerITCase {
  private static final String IMAGE = "apache/kafka:4.2.0";

  private static KafkaContainer broker;

  @TempDir private Path directory;

  @BeforeAll
  static void startTheBroker() {
    assumeTrue(
        DockerClientFactory.instance().isDockerAvailable(),
        "skipped: no container engine answers, and this needs " + IMAGE);
    broker = new KafkaContainer(IMAGE).withStartupTimeout(Duration.ofMinutes(3));
    broker.start();
  }

  @AfterAll
  static void stopTheBroker() {
    if (broker != null) {
      broker.stop();
    }
  }

  @Test
  void everyObservationOfTheRobotsHasItsOutcome() throws IOException {
    String brokers = "kafka.bootstrap-servers=" + broker.getBootstrapServers();
    CommandLineRun first = CommandLineRun.of("topics", "--set", brokers);
    assertThat(first.code()).as(first.err()).isZero();
    assertThat(first.out()).contains("observations         created");
    assertThat(CommandLineRun.of("topics", "--set", brokers).out())
        .contains("observations         was there");

    Path json = directory.resolve("out.json");
    CommandLineRun run =
        CommandLineRun.of(
            "run",
            "--set",
            brokers,
            "--checkpoint",
            "../examples/checkpoint",
            "--robots",
            "../examples/episodes",
            "--duration",
            "5s",
            "--json",
            json.toString());

    assertThat(run.code()).as(run.out() + run.err()).isZero();
    assertThat(run.out()).contains("kafka       " + broker.getBootstrapServers() + ";");
    JsonNode summary = new ObjectMapper().readTree(json.toFile());
    assertThat(summary.get("observations").asLong()).isGreaterThanOrEqualTo(12);
    assertThat(summary.get("chunks").asLong()).isGreaterThanOrEqualTo(12);
    assertThat(summary.get("rejected").asLong()).isZero();
  }
}
