package dev.pi0stream.operators.policy;

import dev.pi0stream.device.Device.Measurements;
import dev.pi0stream.model.engine.PolicyEngine;
import dev.pi0stream.model.engine.ReuseCounts;
import java.util.function.ToLongFunction;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/**
 * The metrics of an engine, shown by one of its tasks.
 *
 * <p>Flink has no operator yet that batches across keys. Its proposal, FLINK-38825, names what such
 * an operator tells of itself; what this engine can tell has the same names at the same place, so
 * that dashboards stay right: {@code batchSize}, {@code batchLatencyMs} (from the arrival of the
 * oldest request to the start of its batch), {@code asyncCallDurationMs}, {@code inflightBatches},
 * {@code totalBatchesProcessed}, {@code totalRecordsProcessed}, {@code asyncCallFailures}.
 *
 * <p>All else is under {@code pi0.device.NAME}: {@code waitingRobots}, {@code weightBytes}, {@code
 * valueBytes}, {@code resources}; {@code reuse…}, how often something was found on the device, had
 * to be computed, or had to make room; and what the device tells of itself.
 */
final class EngineMetrics {
  private EngineMetrics() {}

  /**
   * Shows the metrics of an engine.
   *
   * @param operator the group of the operator
   * @param device its name, such as {@code cpu}
   */
  static void show(MetricGroup operator, String device, ResidentEngine resident) {
    PolicyEngine engine = resident.engine();
    EngineStatistics statistics = resident.statistics();
    operator.histogram("batchSize", statistics.sizes());
    operator.histogram("batchLatencyMs", statistics.gatheredMillis());
    operator.histogram("asyncCallDurationMs", statistics.tookMillis());
    operator.gauge("inflightBatches", (Gauge<Integer>) () -> engine.running() == 0 ? 0 : 1);
    operator.counter("totalBatchesProcessed", statistics.batches());
    operator.counter("totalRecordsProcessed", statistics.records());
    operator.counter("asyncCallFailures", statistics.failures());

    MetricGroup group = operator.addGroup("pi0").addGroup("device", device);
    group.gauge("waitingRobots", (Gauge<Integer>) engine::waiting);
    group.gauge("weightBytes", (Gauge<Long>) () -> statistics.memory().weights());
    group.gauge("valueBytes", (Gauge<Long>) () -> statistics.memory().values());
    group.gauge("resources", (Gauge<Integer>) () -> statistics.memory().resources());
    reuse(group, "reuseFeatureHits", engine, ReuseCounts::featureHits);
    reuse(group, "reuseFeatureMisses", engine, ReuseCounts::featureMisses);
    reuse(group, "reusePrefixHits", engine, ReuseCounts::prefixHits);
    reuse(group, "reusePrefixMisses", engine, ReuseCounts::prefixMisses);
    reuse(group, "reuseEvictions", engine, ReuseCounts::evictions);
    reuse(group, "reuseBytes", engine, ReuseCounts::bytes);
    device(group, "memoryBytes", statistics, Measurements::memoryBytes);
    device(group, "takenBytes", statistics, Measurements::takenBytes);
    device(group, "uploadedBytes", statistics, Measurements::uploadedBytes);
    device(group, "downloadedBytes", statistics, Measurements::downloadedBytes);
    device(group, "programs", statistics, Measurements::programs);
    device(group, "traces", statistics, Measurements::traces);
    device(group, "replays", statistics, Measurements::replays);
    device(group, "calls", statistics, Measurements::calls);
  }

  private static void reuse(
      MetricGroup group, String name, PolicyEngine engine, ToLongFunction<ReuseCounts> count) {
    group.gauge(name, (Gauge<Long>) () -> count.applyAsLong(engine.policy().reuse()));
  }

  private static void device(
      MetricGroup group,
      String name,
      EngineStatistics statistics,
      ToLongFunction<Measurements> measurement) {
    group.gauge(name, (Gauge<Long>) () -> measurement.applyAsLong(statistics.device()));
  }
}
