package dev.pi0stream.operators.policy;

import com.codahale.metrics.SlidingWindowReservoir;
import dev.pi0stream.model.engine.PolicyOutcome.Timing;
import java.util.concurrent.TimeUnit;
import org.apache.flink.dropwizard.metrics.DropwizardHistogramWrapper;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;

/**
 * Where the time of chunks goes, over the last of them: {@code pi0.queueMicros}, {@code
 * pi0.visionMicros}, {@code pi0.prefixMicros}, {@code pi0.denoiseMicros}, and {@code
 * pi0.batchSize}. {@code pi0.engineLoads} counts how often weights were loaded in this process. May
 * be updated by several threads.
 */
final class PolicyMetrics {
  private static final int WINDOW = 1024;

  private final Histogram queue;
  private final Histogram vision;
  private final Histogram prefix;
  private final Histogram denoise;
  private final Histogram batchSize;

  PolicyMetrics(MetricGroup operator, DevicePool pool) {
    MetricGroup group = operator.addGroup("pi0");
    queue = histogram(group, "queueMicros");
    vision = histogram(group, "visionMicros");
    prefix = histogram(group, "prefixMicros");
    denoise = histogram(group, "denoiseMicros");
    batchSize = histogram(group, "batchSize");
    group.gauge("engineLoads", (Gauge<Long>) pool::loads);
  }

  void served(Timing timing) {
    queue.update(TimeUnit.NANOSECONDS.toMicros(timing.queued().toNanos()));
    vision.update(TimeUnit.NANOSECONDS.toMicros(timing.vision().toNanos()));
    prefix.update(TimeUnit.NANOSECONDS.toMicros(timing.prefix().toNanos()));
    denoise.update(TimeUnit.NANOSECONDS.toMicros(timing.denoise().toNanos()));
    batchSize.update(timing.batchSize());
  }

  private static Histogram histogram(MetricGroup group, String name) {
    return group.histogram(
        name,
        new DropwizardHistogramWrapper(
            new com.codahale.metrics.Histogram(new SlidingWindowReservoir(WINDOW))));
  }
}
