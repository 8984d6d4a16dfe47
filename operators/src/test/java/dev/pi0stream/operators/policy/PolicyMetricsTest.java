package dev.pi0stream.operators.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.model.engine.PolicyOutcome.Timing;
import java.time.Duration;
import java.util.List;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.testutils.MetricListener;
import org.junit.jupiter.api.Test;

class PolicyMetricsTest {
  private static final EngineSpec SPEC = new EngineSpec("metrics", "fake", "fp32", 4);

  @Test
  void whereTheTimeOfAChunkWentIsInHistogramsUnderStableNames() {
    MetricListener listener = new MetricListener();
    PolicyMetrics metrics =
        new PolicyMetrics(listener.getMetricGroup(), new DevicePool(), FakePolicy.of(SPEC));
    metrics.served(
        new Timing(
            3,
            Duration.ofMillis(1),
            Duration.ofMillis(2),
            Duration.ofMillis(3),
            Duration.ofMillis(4)));
    assertThat(List.of("queueMicros", "visionMicros", "prefixMicros", "denoiseMicros", "batchSize"))
        .extracting(
            name ->
                listener.getHistogram("pi0", name).orElseThrow().getStatistics().getQuantile(0.5))
        .containsExactly(1000.0, 2000.0, 3000.0, 4000.0, 3.0);
    Gauge<Long> loads = listener.<Long>getGauge("pi0", "engineLoads").orElseThrow();
    assertThat(loads.getValue()).isZero();
    for (String name :
        List.of(
            "reuseFeatureHits",
            "reuseFeatureMisses",
            "reusePrefixHits",
            "reusePrefixMisses",
            "reuseEvictions",
            "reuseBytes")) {
      assertThat(listener.<Long>getGauge("pi0", name).orElseThrow().getValue()).as(name).isZero();
    }
  }
}
