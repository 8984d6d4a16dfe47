package dev.pi0stream.operators.metrics;

import com.codahale.metrics.Histogram;
import com.codahale.metrics.SlidingWindowReservoir;
import org.apache.flink.dropwizard.metrics.DropwizardHistogramWrapper;

/** A histogram of the last thousand values; may be updated by several threads. */
public final class RecentHistogram extends DropwizardHistogramWrapper {
  private static final int VALUES = 1024;

  /** A histogram without a value. */
  public RecentHistogram() {
    super(new Histogram(new SlidingWindowReservoir(VALUES)));
  }
}
