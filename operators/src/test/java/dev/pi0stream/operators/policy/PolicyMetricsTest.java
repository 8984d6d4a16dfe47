package dev.pi0stream.operators.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.Device;
import dev.pi0stream.model.engine.BatchListener.BatchReport;
import dev.pi0stream.model.engine.PolicyOutcome.Timing;
import java.time.Duration;
import java.util.List;
import org.apache.flink.metrics.testutils.MetricListener;
import org.junit.jupiter.api.Test;

class PolicyMetricsTest {
  private final MetricListener listener = new MetricListener();

  @Test
  void whereTheTimeOfAChunkWentIsInHistogramsUnderStableNames() {
    PolicyMetrics metrics = new PolicyMetrics(listener.getMetricGroup(), new DevicePool(), () -> 7);
    metrics.served(
        new Timing(
            3,
            Duration.ofMillis(1),
            Duration.ofMillis(2),
            Duration.ofMillis(3),
            Duration.ofMillis(4)));
    assertThat(List.of("queueMicros", "visionMicros", "prefixMicros", "denoiseMicros"))
        .extracting(name -> median("pi0", name))
        .containsExactly(1000.0, 2000.0, 3000.0, 4000.0);
    assertThat(listener.<Long>getGauge("pi0", "engineLoads").orElseThrow().getValue()).isZero();
    assertThat(listener.<Integer>getGauge("pi0", "inFlight").orElseThrow().getValue()).isEqualTo(7);
  }

  @Test
  void batchesAreToldUnderTheNamesOfFlinksProposal() throws Exception {
    EngineSpec spec = new EngineSpec("metrics of batches", "fake", "fp32", 4);
    try (ResidentEngine resident =
        ResidentEngine.start(spec, FakePolicy::load, new EngineStatistics())) {
      EngineMetrics.show(listener.getMetricGroup(), "fake:1", resident);
      resident
          .statistics()
          .ended(new BatchReport(3, Duration.ofMillis(5), Duration.ofMillis(20), false));
      resident
          .statistics()
          .ended(new BatchReport(2, Duration.ofMillis(6), Duration.ofMillis(21), true));
      assertThat(List.of("batchSize", "batchLatencyMs", "asyncCallDurationMs"))
          .extracting(this::median)
          .containsExactly(3.0, 5.0, 20.0);
      assertThat(List.of("totalBatchesProcessed", "totalRecordsProcessed", "asyncCallFailures"))
          .extracting(name -> listener.getCounter(name).orElseThrow().getCount())
          .containsExactly(2L, 3L, 1L);
      assertThat(listener.<Integer>getGauge("inflightBatches").orElseThrow().getValue()).isZero();
      for (String name :
          List.of(
              "waitingRobots",
              "weightBytes",
              "valueBytes",
              "resources",
              "reuseFeatureHits",
              "reuseFeatureMisses",
              "reusePrefixHits",
              "reusePrefixMisses",
              "reuseEvictions",
              "reuseBytes",
              "memoryBytes",
              "takenBytes",
              "uploadedBytes",
              "downloadedBytes",
              "programs",
              "traces",
              "replays",
              "calls")) {
        assertThat(deviceGauge("fake:1", name)).as(name).isZero();
      }
    }
  }

  @Test
  void whatTheDeviceTellsIsShownWhenABatchEnds() throws Exception {
    EngineSpec spec = new EngineSpec("metrics of a device", "fake", "fp32", 4);
    try (ResidentEngine resident =
        ResidentEngine.start(spec, FakePolicy::load, new EngineStatistics())) {
      EngineMetrics.show(listener.getMetricGroup(), "fake:2", resident);
      FakePolicy.of(spec).measure(new Device.Measurements(1, 2, 3, 4, 5, 6, 7, 8));
      resident
          .statistics()
          .ended(new BatchReport(1, Duration.ofMillis(1), Duration.ofMillis(1), false));
      assertThat(
              List.of(
                  "memoryBytes",
                  "takenBytes",
                  "uploadedBytes",
                  "downloadedBytes",
                  "programs",
                  "traces",
                  "replays",
                  "calls"))
          .extracting(name -> deviceGauge("fake:2", name))
          .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L);
    }
  }

  private long deviceGauge(String device, String name) {
    return listener
        .<Number>getGauge("pi0", "device", device, name)
        .orElseThrow()
        .getValue()
        .longValue();
  }

  @Test
  void oneTaskOfAnEngineShowsItsMetricsAndAnotherWhenItNoLongerDoes() throws Exception {
    EngineSpec spec = new EngineSpec("metrics of one", "fake", "fp32", 4);
    try (ResidentEngine resident =
        ResidentEngine.start(spec, FakePolicy::load, new EngineStatistics())) {
      Object first = new Object();
      Object second = new Object();
      assertThat(resident.beginShowing(first)).isTrue();
      assertThat(resident.beginShowing(second)).isFalse();
      resident.endShowing(second);
      assertThat(resident.beginShowing(second)).isFalse();
      resident.endShowing(first);
      assertThat(resident.beginShowing(second)).isTrue();
    }
  }

  private double median(String... name) {
    return listener.getHistogram(name).orElseThrow().getStatistics().getQuantile(0.5);
  }
}
