package dev.pi0stream.operators.outcome;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.flink.metrics.testutils.MetricListener;
import org.junit.jupiter.api.Test;

class OutcomeMetricsTest {
  @Test
  void endsAreCountedUnderStableNames() {
    MetricListener listener = new MetricListener();
    OutcomeMetrics metrics = new OutcomeMetrics(listener.getMetricGroup());
    int times = 1;
    for (Outcome.Kind kind :
        List.of(
            Outcome.Kind.CHUNK,
            Outcome.Kind.SUPERSEDED,
            Outcome.Kind.EXPIRED,
            Outcome.Kind.REJECTED)) {
      for (int i = 0; i < times; i++) {
        metrics.count(kind);
      }
      times++;
    }
    assertThat(List.of("chunks", "superseded", "expired", "rejected"))
        .extracting(name -> listener.getCounter("pi0", name).orElseThrow().getCount())
        .containsExactly(1L, 2L, 3L, 4L);
  }
}
