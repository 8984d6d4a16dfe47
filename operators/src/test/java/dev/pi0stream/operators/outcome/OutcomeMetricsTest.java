package dev.pi0stream.operators.outcome;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
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
        metrics.count(outcome(kind), Instant.ofEpochMilli(30));
      }
      times++;
    }
    assertThat(List.of("chunks", "superseded", "expired", "rejected"))
        .extracting(name -> listener.getCounter("pi0", name).orElseThrow().getCount())
        .containsExactly(1L, 2L, 3L, 4L);
    assertThat(
            listener
                .getHistogram("pi0", "ageMillis")
                .orElseThrow()
                .getStatistics()
                .getQuantile(0.5))
        .isEqualTo(20);
  }

  private static Outcome outcome(Outcome.Kind kind) {
    Outcome.Actions chunk =
        kind == Outcome.Kind.CHUNK
            ? new Outcome.Actions(
                Instant.ofEpochMilli(10),
                1,
                1,
                new float[1],
                "digest",
                "fake/fp32",
                1,
                0,
                0,
                0,
                0,
                0,
                false,
                0)
            : null;
    return new Outcome(null, kind, "arm", "e1", 0L, null, chunk, Instant.EPOCH);
  }
}
