package dev.pi0stream.operators.outcome;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;

/**
 * How many observations ended in which way: {@code pi0.chunks}, {@code pi0.superseded}, {@code
 * pi0.expired}, {@code pi0.rejected}.
 */
final class OutcomeMetrics {
  private final Counter chunks;
  private final Counter superseded;
  private final Counter expired;
  private final Counter rejected;

  OutcomeMetrics(MetricGroup operator) {
    MetricGroup group = operator.addGroup("pi0");
    chunks = group.counter("chunks");
    superseded = group.counter("superseded");
    expired = group.counter("expired");
    rejected = group.counter("rejected");
  }

  void count(Outcome.Kind kind) {
    switch (kind) {
      case CHUNK -> chunks.inc();
      case SUPERSEDED -> superseded.inc();
      case EXPIRED -> expired.inc();
      case REJECTED -> rejected.inc();
    }
  }
}
