package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.fleet.FleetReport;
import dev.pi0stream.job.fleet.FleetSession;
import dev.pi0stream.job.fleet.FleetSettings;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.job.run.TopicReader;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.telemetry.TelemetrySettings;
import dev.pi0stream.schemas.RobotHealth;
import dev.pi0stream.schemas.RobotTelemetry;
import dev.pi0stream.schemas.WireFormat;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A fleet at a real job: what the robots say they experienced, and what the job says of them. */
@Timeout(240)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class FleetITCase {
  private static final int ROBOTS = 5;

  @Test
  void whatRobotsExperienceIsWhatTelemetryTells() throws Exception {
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            PolicyJobSettings.engine("cpu"), Duration.ofSeconds(1), new CheckpointLoader());
    TelemetrySettings telemetry =
        new TelemetrySettings(Duration.ofSeconds(2), Duration.ofSeconds(8), Duration.ofMillis(100));
    try (ServedJob job =
        new ServedJob(
            (environment, topics) ->
                PolicyJob.build(
                    environment,
                    settings.job().reporting(Optional.of(telemetry)),
                    topics,
                    settings.loader()))) {
      FleetReport fleet = new FleetSession(fleet(job.topics())).execute();
      assertThat(fleet.together().missing()).isZero();
      assertThat(fleet.together().rejected()).isZero();
      assertThat(fleet.together().repeats()).isZero();
      assertThat(fleet.together().chunks()).isPositive();
      assertThat(fleet.together().ticks()).isPositive();
      assertThat(fleet.ageMillis().p50()).isPositive();

      List<RobotTelemetry> reports = new ArrayList<>();
      try (KafkaConsumer<byte[], byte[]> reader = reader(job.topics())) {
        job.await(
            () -> {
              for (ConsumerRecord<byte[], byte[]> record : reader.poll(Duration.ofMillis(50))) {
                reports.add(WireFormat.telemetry().decode(record.value()));
              }
              return reports.stream().filter(r -> r.getHealth() == RobotHealth.SILENT).count()
                  == ROBOTS;
            },
            () -> "not all robots were reported as silent: " + reports);
      }
      assertThat(reports.stream().mapToLong(RobotTelemetry::getObservations).sum())
          .isEqualTo(fleet.together().observations());
      assertThat(reports.stream().mapToLong(RobotTelemetry::getChunks).sum())
          .isEqualTo(fleet.together().chunks());
      assertThat(reports.stream().mapToLong(RobotTelemetry::getSuperseded).sum())
          .isEqualTo(fleet.together().superseded());
      assertThat(reports).extracting(RobotTelemetry::getMissingSequences).containsOnly(0L);
      assertThat(reports).extracting(RobotTelemetry::getLateRecords).containsOnly(0L);
      assertThat(reports)
          .filteredOn(report -> report.getChunks() > 0)
          .allMatch(report -> report.getAgeP99Micros() >= report.getAgeP50Micros());

      AuditReport audit = job.audit();
      assertThat(audit.findings()).as(() -> audit.examples().toString()).isEmpty();
      assertThat(audit.records()).isEqualTo(fleet.together().observations());
    }
  }

  private static FleetSettings fleet(KafkaSettings topics) {
    return new FleetSettings(
        topics,
        ROBOTS,
        Duration.ofSeconds(5),
        new FleetSettings.Body(
            List.of("top", "wrist"), 112, 3, "put the red block on the white tray"),
        new FleetSettings.Rhythm(
            4, 2, Duration.ofMillis(100), Duration.ofMillis(20), 0, Optional.empty()),
        Duration.ofSeconds(1),
        "fleet",
        3);
  }

  private static KafkaConsumer<byte[], byte[]> reader(KafkaSettings topics) {
    KafkaConsumer<byte[], byte[]> reader =
        TopicReader.consumer(topics.bootstrapServers(), Map.of());
    List<TopicPartition> partition = List.of(new TopicPartition(topics.telemetry(), 0));
    reader.assign(partition);
    reader.seekToBeginning(partition);
    return reader;
  }
}
