package dev.pi0stream.operators.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.model.engine.BatchListener;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.operators.metrics.RecentHistogram;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.ThreadSafeSimpleCounter;

/**
 * What the batches of an engine were. Belongs to the engine's place in the pool, not to a task: it
 * goes on counting while tasks are restarted, and when a device that failed is opened anew.
 */
final class EngineStatistics implements BatchListener {
  private final Histogram sizes = new RecentHistogram();
  private final Histogram gatheredMillis = new RecentHistogram();
  private final Histogram tookMillis = new RecentHistogram();
  private final Counter batches = new ThreadSafeSimpleCounter();
  private final Counter records = new ThreadSafeSimpleCounter();
  private final Counter failures = new ThreadSafeSimpleCounter();
  private volatile ServedPolicy policy;
  private volatile Device.Usage memory = new Device.Usage(0, 0, 0);
  private volatile Device.Measurements device = Device.Measurements.NONE;

  /** A policy was loaded; told on the device's thread. */
  void opened(ServedPolicy loaded) {
    policy = loaded;
    measure();
  }

  private void measure() {
    memory = policy.memory();
    device = policy.measurements();
  }

  @Override
  public void ended(BatchReport batch) {
    batches.inc();
    if (batch.failed()) {
      failures.inc();
      return;
    }
    records.inc(batch.rows());
    sizes.update(batch.rows());
    gatheredMillis.update(batch.gathered().toMillis());
    tookMillis.update(batch.took().toMillis());
    measure();
  }

  Histogram sizes() {
    return sizes;
  }

  Histogram gatheredMillis() {
    return gatheredMillis;
  }

  Histogram tookMillis() {
    return tookMillis;
  }

  Counter batches() {
    return batches;
  }

  Counter records() {
    return records;
  }

  Counter failures() {
    return failures;
  }

  /** What policy and batches took on the device when the last batch ended. */
  Device.Usage memory() {
    return memory;
  }

  /** What the device had done by then. */
  Device.Measurements device() {
    return device;
  }
}
