package dev.pi0stream.operators.policy;

import dev.pi0stream.model.engine.PolicyOutcome.Timing;
import dev.pi0stream.operators.metrics.RecentHistogram;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;

/**
 * Where the time of a task's chunks goes, over the last of them: {@code pi0.queueMicros}, {@code
 * pi0.visionMicros}, {@code pi0.prefixMicros}, {@code pi0.denoiseMicros}. {@code pi0.inFlight} is
 * how many observations of the task are at its engine, {@code pi0.engineLoads} how often weights
 * were loaded in this process. May be updated by several threads.
 */
final class PolicyMetrics {
  private final Histogram queue;
  private final Histogram vision;
  private final Histogram prefix;
  private final Histogram denoise;

  PolicyMetrics(MetricGroup operator, DevicePool pool, IntSupplier inFlight) {
    MetricGroup group = operator.addGroup("pi0");
    queue = group.histogram("queueMicros", new RecentHistogram());
    vision = group.histogram("visionMicros", new RecentHistogram());
    prefix = group.histogram("prefixMicros", new RecentHistogram());
    denoise = group.histogram("denoiseMicros", new RecentHistogram());
    group.gauge("inFlight", (Gauge<Integer>) inFlight::getAsInt);
    group.gauge("engineLoads", (Gauge<Long>) pool::loads);
  }

  void served(Timing timing) {
    queue.update(TimeUnit.NANOSECONDS.toMicros(timing.queued().toNanos()));
    vision.update(TimeUnit.NANOSECONDS.toMicros(timing.vision().toNanos()));
    prefix.update(TimeUnit.NANOSECONDS.toMicros(timing.prefix().toNanos()));
    denoise.update(TimeUnit.NANOSECONDS.toMicros(timing.denoise().toNanos()));
  }
}
