package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.job.embedded.EmbeddedFlink;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.telemetry.TelemetrySettings;
import dev.pi0stream.schemas.RobotObservation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a running job tells Prometheus, and that dashboard, alarms and documentation speak of it.
 */
@Timeout(240)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class PrometheusITCase {
  private static final Path ROOT = Path.of("..");
  private static final String OPERATOR = "flink_taskmanager_job_task_operator_";
  private static final Pattern METRIC = Pattern.compile("\\bflink_\\w+");

  private static Scrape scrape;

  @BeforeAll
  static void serveAndAsk() throws Exception {
    int port = Scrape.freePort();
    EngineSpec others = PolicyJobSettings.engine("cpu");
    // An engine of its own: one that served another job of this process has counted already.
    EngineSpec engine =
        new EngineSpec(
            others.checkpoint(), others.device(), others.precision(), others.maxBatch() - 1);
    PolicyJobSettings settings =
        PolicyJobSettings.of(engine, Duration.ofSeconds(1), new CheckpointLoader());
    try (ServedJob job =
        new ServedJob(
            (environment, topics) ->
                PolicyJob.build(
                    environment,
                    settings
                        .job()
                        .reporting(
                            Optional.of(
                                new TelemetrySettings(
                                    Duration.ofMillis(200),
                                    Duration.ofMillis(100),
                                    Duration.ofMillis(100)))),
                    topics,
                    settings.loader()),
            1,
            EmbeddedFlink.prometheus(port))) {
      for (int i = 0; i < 3; i++) {
        RobotObservation sent = RobotMessages.observation("arm", "e1", i);
        sent.setObservedAt(Instant.now());
        job.awaitOutcomesUpTo(job.send(sent));
      }
      job.awaitOutcomesUpTo(job.send(null, new byte[] {1, 2, 3}));
      Scrape[] last = new Scrape[1];
      job.await(
          () -> {
            last[0] = Scrape.of(port);
            return last[0].sum(OPERATOR + "pi0_health_robots", "SILENT") > 0
                && last[0].names().contains(OPERATOR + "pendingRecords");
          },
          () -> "the telemetry of the robots is not told");
      scrape = last[0];
    }
  }

  @AfterAll
  static void forget() {
    scrape = null;
  }

  @Test
  void whatHappenedIsTold() {
    assertThat(scrape.sum(OPERATOR + "pi0_chunks", "")).isEqualTo(3);
    assertThat(scrape.sum(OPERATOR + "pi0_rejected", "")).isEqualTo(1);
    assertThat(scrape.sum(OPERATOR + "totalBatchesProcessed", "")).isEqualTo(3);
    assertThat(scrape.sum(OPERATOR + "totalRecordsProcessed", "")).isEqualTo(3);
    assertThat(scrape.sum(OPERATOR + "asyncCallFailures", "")).isZero();
    assertThat(scrape.sum(OPERATOR + "batchSize", "quantile=\"0.5\"")).isEqualTo(1);
    assertThat(scrape.sum(OPERATOR + "asyncCallDurationMs", "quantile=\"0.99\"")).isPositive();
    assertThat(scrape.sum(OPERATOR + "pi0_ageMillis", "quantile=\"0.5\"")).isPositive();
    assertThat(scrape.sum(OPERATOR + "pi0_device_weightBytes", "device=\"cpu\"")).isPositive();
    assertThat(scrape.sum(OPERATOR + "pi0_device_resources", "device=\"cpu\"")).isPositive();
  }

  @Test
  void everyExpressionOfTheDashboardAndTheAlarmsAsksForWhatIsTold() throws Exception {
    Set<String> asked = new TreeSet<>(namesIn(String.join("\n", dashboardExpressions())));
    asked.addAll(namesIn(Files.readString(ROOT.resolve("conf/prometheus/alerts.yml"))));
    assertThat(asked).hasSizeGreaterThan(20);
    assertThat(scrape.names()).containsAll(asked);
  }

  @Test
  void everyMetricOfOursIsInTheDashboardOrAnAlarmAndTheOtherWayRound() throws Exception {
    Set<String> shown = new TreeSet<>(namesIn(String.join("\n", dashboardExpressions())));
    assertThat(ours(scrape.names())).isEqualTo(ours(shown));
  }

  @Test
  void theTableOfMetricsListsWhatIsTold() throws Exception {
    Pattern row = Pattern.compile("^\\| `([\\w.]+)` \\|", Pattern.MULTILINE);
    Set<String> documented = new TreeSet<>();
    Matcher rows = row.matcher(Files.readString(ROOT.resolve("docs/operations.md")));
    while (rows.find()) {
      documented.add(OPERATOR + rows.group(1).replace('.', '_'));
    }
    assertThat(ours(documented)).isEqualTo(ours(scrape.names()));
  }

  @Test
  void everyAlarmIsExplained() throws Exception {
    Matcher alarms =
        Pattern.compile("- alert: (\\w+)")
            .matcher(Files.readString(ROOT.resolve("conf/prometheus/alerts.yml")));
    List<String> names = new ArrayList<>();
    while (alarms.find()) {
      names.add("### " + alarms.group(1));
    }
    assertThat(names).isNotEmpty();
    assertThat(Files.readAllLines(ROOT.resolve("docs/operations.md"))).containsAll(names);
  }

  /** Those that this project makes, not Flink. */
  private static Set<String> ours(Set<String> names) {
    return names.stream()
        .filter(
            name ->
                name.startsWith(OPERATOR + "pi0_")
                    || name.matches(
                        OPERATOR
                            + "(batch|asyncCall|inflightBatches|totalBatches|totalRecords)\\w*"))
        .map(name -> name.replaceFirst("_count$", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<String> dashboardExpressions() throws Exception {
    JsonNode dashboard =
        new ObjectMapper()
            .readTree(ROOT.resolve("conf/grafana/dashboards/pi0-stream.json").toFile());
    List<String> expressions = new ArrayList<>();
    for (JsonNode panel : dashboard.get("panels")) {
      for (JsonNode target : panel.path("targets")) {
        expressions.add(target.get("expr").asText());
      }
    }
    return expressions;
  }

  private static Set<String> namesIn(String expressions) {
    Set<String> names = new TreeSet<>();
    Matcher metrics = METRIC.matcher(expressions);
    while (metrics.find()) {
      names.add(metrics.group());
    }
    return names;
  }
}
