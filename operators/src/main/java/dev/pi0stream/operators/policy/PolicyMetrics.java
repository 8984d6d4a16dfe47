package dev.pi0stream.operators.policy;

import com.codahale.metrics.SlidingWindowReservoir;
import dev.pi0stream.model.engine.PolicyOutcome.Timing;
import dev.pi0stream.model.engine.ReuseCounts;
import dev.pi0stream.model.engine.ServedPolicy;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.apache.flink.dropwizard.metrics.DropwizardHistogramWrapper;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;

/**
 * Where the time of chunks goes, over the last of them: {@code pi0.queueMicros}, {@code
 * pi0.visionMicros}, {@code pi0.prefixMicros}, {@code pi0.denoiseMicros}, and {@code
 * pi0.batchSize}. {@code pi0.engineLoads} counts how often weights were loaded in this process,
 * {@code pi0.reuse…} what was found on the device, had to be computed, or had to make room. May be
 * updated by several threads.
 */
final class PolicyMetrics {
  private static final int WINDOW = 1024;

  private final Histogram queue;
  private final Histogram vision;
  private final Histogram prefix;
  private final Histogram denoise;
  private final Histogram batchSize;

  PolicyMetrics(MetricGroup operator, DevicePool pool, ServedPolicy policy) {
    MetricGroup group = operator.addGroup("pi0");
    queue = histogram(group, "queueMicros");
    vision = histogram(group, "visionMicros");
    prefix = histogram(group, "prefixMicros");
    denoise = histogram(group, "denoiseMicros");
    batchSize = histogram(group, "batchSize");
    group.gauge("engineLoads", (Gauge<Long>) pool::loads);
    reuse(group, "reuseFeatureHits", policy, ReuseCounts::featureHits);
    reuse(group, "reuseFeatureMisses", policy, ReuseCounts::featureMisses);
    reuse(group, "reusePrefixHits", policy, ReuseCounts::prefixHits);
    reuse(group, "reusePrefixMisses", policy, ReuseCounts::prefixMisses);
    reuse(group, "reuseEvictions", policy, ReuseCounts::evictions);
    reuse(group, "reuseBytes", policy, ReuseCounts::bytes);
  }

  void served(Timing timing) {
    queue.update(TimeUnit.NANOSECONDS.toMicros(timing.queued().toNanos()));
    vision.update(TimeUnit.NANOSECONDS.toMicros(timing.vision().toNanos()));
    prefix.update(TimeUnit.NANOSECONDS.toMicros(timing.prefix().toNanos()));
    denoise.update(TimeUnit.NANOSECONDS.toMicros(timing.denoise().toNanos()));
    batchSize.update(timing.batchSize());
  }

  private static void reuse(
      MetricGroup group, String name, ServedPolicy policy, ToLongFunction<ReuseCounts> count) {
    group.gauge(name, (Gauge<Long>) () -> count.applyAsLong(policy.reuse()));
  }

  private static Histogram histogram(MetricGroup group, String name) {
    return group.histogram(
        name,
        new DropwizardHistogramWrapper(
            new com.codahale.metrics.Histogram(new SlidingWindowReservoir(WINDOW))));
  }
}
