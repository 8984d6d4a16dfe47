package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.embedded.EmbeddedFlink;
import dev.pi0stream.job.fleet.FleetReport;
import dev.pi0stream.job.fleet.FleetSession;
import dev.pi0stream.job.fleet.FleetSettings;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.EngineSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A thousand robots at one job, for minutes; {@code -Dpi0.soak.seconds} says how long, 300 unless
 * told.
 */
@Tag("long")
@Timeout(1800)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class FleetSoakITCase {
  private static final int ROBOTS = 1000;
  private static final Duration LIFE = Duration.ofSeconds(Long.getLong("pi0.soak.seconds", 300));
  private static final String RESOURCES =
      "flink_taskmanager_job_task_operator_pi0_device_resources";

  @Test
  void aThousandRobotsAreServedForMinutesAndNothingGrows() throws Exception {
    int port = Scrape.freePort();
    try (ServedJob job = job(port)) {
      live(job, "warm", 1, 10, Duration.ofSeconds(20));
      double resources = Scrape.of(port).sum(RESOURCES, "");
      long heap = usedHeap();
      FleetReport fleet = live(job, "soak", 1, 10, LIFE);
      print("state once a second, pictures every tenth time", fleet);
      System.out.printf("heap %,d → %,d bytes%n", heap, usedHeap());
      assertThat(fleet.together().missing()).isZero();
      assertThat(fleet.together().rejected()).isZero();
      assertThat(usedHeap()).isLessThan(heap + heap / 2 + (64 << 20));
      assertThat(Scrape.of(port).sum(RESOURCES, "")).isCloseTo(resources, within(100.0));
      assertClean(job.audit());
    }
  }

  @Test
  void atTwiceWhatTheDeviceServesTheAgeOfChunksStaysWhereItIs() throws Exception {
    try (ServedJob job = job(Scrape.freePort())) {
      FleetReport most = live(job, "most", 5, 10, Duration.ofSeconds(20));
      double perSecond = most.together().chunks() / most.seconds();
      double rate = 2 * perSecond / ROBOTS;
      FleetReport brief = live(job, "brief", rate, 10, Duration.ofSeconds(30));
      FleetReport lasting = live(job, "lasting", rate, 10, Duration.ofSeconds(90));
      System.out.printf("the device serves %.0f chunks a second%n", perSecond);
      print("twice that for 30 s", brief);
      print("twice that for 90 s", lasting);
      assertThat(lasting.together().missing()).isZero();
      assertThat(lasting.ageMillis().p99()).isLessThan(1.5 * brief.ageMillis().p99());
      assertClean(job.audit());
    }
  }

  private static void print(String what, FleetReport fleet) {
    System.out.printf(
        "%d robots, %s: %d observations = %d chunks + %d superseded + %d expired; age p50 %.0f ms,"
            + " p99 %.0f ms%n",
        fleet.robots(),
        what,
        fleet.together().observations(),
        fleet.together().chunks(),
        fleet.together().superseded(),
        fleet.together().expired(),
        fleet.ageMillis().p50(),
        fleet.ageMillis().p99());
  }

  private static void assertClean(AuditReport audit) {
    assertThat(audit.findings()).as(() -> audit.examples().toString()).isEmpty();
    assertThat(audit.missing()).isZero();
  }

  private static long usedHeap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private static FleetReport live(
      ServedJob job, String session, double rate, int picturesEvery, Duration life)
      throws Exception {
    return new FleetSession(
            new FleetSettings(
                job.topics(),
                ROBOTS,
                life,
                new FleetSettings.Body(
                    List.of("top", "wrist"), 64, 3, "put the red block on the white tray"),
                new FleetSettings.Rhythm(
                    rate,
                    picturesEvery,
                    Duration.ofMillis(100),
                    Duration.ofMillis(20),
                    0,
                    Optional.empty()),
                Duration.ofSeconds(1),
                session,
                11))
        .execute();
  }

  private static ServedJob job(int metricsPort) throws Exception {
    EngineSpec shipped = PolicyJobSettings.engine("cpu");
    JobSettings settings =
        new JobSettings(
            new EngineSpec(shipped.checkpoint(), "cpu", "fp32", 16)
                .warmedUp(Duration.ofSeconds(20)),
            1,
            4 * ROBOTS,
            Duration.ofSeconds(60),
            Duration.ofSeconds(5),
            Duration.ofMinutes(10),
            ObservationLimits.DEFAULT);
    return new ServedJob(
        (environment, topics) ->
            PolicyJob.build(environment, settings, topics, new CheckpointLoader()),
        1,
        EmbeddedFlink.prometheus(metricsPort));
  }
}
