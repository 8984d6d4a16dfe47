package dev.pi0stream.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.audit.Audit;
import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.audit.AuditSettings;
import dev.pi0stream.job.audit.Recomputation;
import dev.pi0stream.job.embedded.EmbeddedKafka;
import dev.pi0stream.job.fleet.FleetReport;
import dev.pi0stream.job.fleet.FleetSession;
import dev.pi0stream.job.fleet.FleetSettings;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.client.deployment.StandaloneClusterId;
import org.apache.flink.client.program.rest.RestClusterClient;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cluster of processes of their own, of which one is killed while a fleet is served. */
@Tag("long")
@Timeout(400)
@SuppressWarnings("try") // Closing may be interrupted; the test fails with it.
class TaskManagerKillITCase {
  private static final Duration LIFE = Duration.ofSeconds(40);

  @TempDir private Path directory;

  @Test
  void aKilledTaskManagerLosesNothingAndItsChunksAreComputedAgain() throws Exception {
    EngineSpec engine =
        new EngineSpec(
            Path.of("..", "examples", "checkpoint").toAbsolutePath().normalize().toString(),
            "cpu",
            "fp32",
            8);
    try (EmbeddedKafka broker = EmbeddedKafka.start(0);
        ProcessCluster cluster = new ProcessCluster(directory)) {
      KafkaSettings topics =
          KafkaSettings.defaults(broker.bootstrapServers())
              .startingAt(KafkaSettings.Start.EARLIEST);
      broker.createTopics(2, topics.topics().toArray(String[]::new));
      Process first = cluster.startTaskManager();
      cluster.startTaskManager();
      cluster.awaitTaskManagers(2);
      JobID job = submit(cluster.client(), engine, topics);
      awaitRunning(cluster.client(), job);

      FleetSession fleet = new FleetSession(fleet(topics));
      FutureTask<FleetReport> life = new FutureTask<>(fleet::execute);
      Thread.ofPlatform().name("fleet").daemon().start(life);
      Thread.sleep(LIFE.dividedBy(4));
      ProcessCluster.kill(first);
      cluster.startTaskManager();
      FleetReport experienced = life.get();
      System.out.println(experienced.together());

      assertThat(experienced.together().missing()).isZero();
      assertThat(experienced.together().chunks()).isPositive();
      AuditReport audit = audit(topics, engine);
      assertThat(audit.findings()).as(() -> audit.examples().toString()).isEmpty();
      assertThat(audit.records()).isEqualTo(experienced.together().observations());
      assertThat(audit.recomputed()).isPositive();
      assertThat(cluster.client().getJobStatus(job).get()).isEqualTo(JobStatus.RUNNING);
      cluster.client().cancel(job).get();
    }
  }

  private static JobID submit(
      RestClusterClient<StandaloneClusterId> client, EngineSpec engine, KafkaSettings topics)
      throws Exception {
    StreamExecutionEnvironment environment = new StreamExecutionEnvironment();
    PolicyJob.build(
        environment,
        new JobSettings(
                engine,
                2,
                256,
                Duration.ofSeconds(60),
                Duration.ofSeconds(1),
                Duration.ofMinutes(10),
                ObservationLimits.DEFAULT)
            .spreading(List.of("fleet-000", "fleet-001", "fleet-002", "fleet-003")),
        topics,
        new CheckpointLoader());
    return client.submitJob(environment.getStreamGraph().getJobGraph()).get();
  }

  private static void awaitRunning(RestClusterClient<StandaloneClusterId> client, JobID job)
      throws Exception {
    while (!client.getJobDetails(job).get().getJobVertexInfos().stream()
        .allMatch(vertex -> vertex.getExecutionState() == ExecutionState.RUNNING)) {
      Thread.sleep(200);
    }
  }

  private static FleetSettings fleet(KafkaSettings topics) {
    return new FleetSettings(
        topics,
        4,
        LIFE,
        new FleetSettings.Body(
            List.of("top", "wrist"), 112, 3, "put the red block on the white tray"),
        new FleetSettings.Rhythm(
            4, 2, Duration.ofMillis(100), Duration.ofMillis(20), 0, Optional.empty()),
        Duration.ofSeconds(1),
        "kill",
        7);
  }

  private static AuditReport audit(KafkaSettings topics, EngineSpec engine) throws Exception {
    LoadedPolicy loaded = new CheckpointLoader().load(engine);
    try (AutoCloseable _ = loaded.device()) {
      ServedPolicy policy = loaded.policy();
      return new Audit(
              new AuditSettings(topics, Optional.empty(), Optional.empty(), Duration.ofSeconds(30)))
          .run(Recomputation.of(policy, 50));
    }
  }
}
