package dev.pi0stream.operators.outcome;

import dev.pi0stream.operators.metrics.RecentHistogram;
import java.time.Duration;
import java.time.Instant;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;

/**
 * How many observations ended in which way: {@code pi0.chunks}, {@code pi0.superseded}, {@code
 * pi0.expired}, {@code pi0.rejected}; and how old chunks were when they went to their topic, by
 * their robots' clocks: {@code pi0.ageMillis}.
 */
final class OutcomeMetrics {
  private final Counter chunks;
  private final Counter superseded;
  private final Counter expired;
  private final Counter rejected;
  private final Histogram age;

  OutcomeMetrics(MetricGroup operator) {
    MetricGroup group = operator.addGroup("pi0");
    chunks = group.counter("chunks");
    superseded = group.counter("superseded");
    expired = group.counter("expired");
    rejected = group.counter("rejected");
    age = group.histogram("ageMillis", new RecentHistogram());
  }

  void count(Outcome outcome, Instant now) {
    switch (outcome.kind()) {
      case CHUNK -> {
        chunks.inc();
        age.update(Duration.between(outcome.chunk().observedAt(), now).toMillis());
      }
      case SUPERSEDED -> superseded.inc();
      case EXPIRED -> expired.inc();
      case REJECTED -> rejected.inc();
    }
  }
}
