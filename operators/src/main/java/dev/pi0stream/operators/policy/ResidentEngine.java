package dev.pi0stream.operators.policy;

import dev.pi0stream.model.engine.EngineSettings;
import dev.pi0stream.model.engine.LatencyCurve;
import dev.pi0stream.model.engine.PolicyEngine;
import dev.pi0stream.model.engine.Surroundings;
import java.time.InstantSource;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An engine with the threads that it runs on: one for the device, some that prepare. */
public final class ResidentEngine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ResidentEngine.class);

  /**
   * A batch ends within seconds; only a device that hangs takes longer. Who waits may be the main
   * thread of a TaskManager, which other jobs expect to hear from.
   */
  private static final long LAST_BATCH_SECONDS = 10;

  private final PolicyEngine engine;
  private final LoadedPolicy loaded;
  private final DeviceThread device;
  private final ExecutorService preparation;
  private final ClockAlarm alarm;
  private final EngineStatistics statistics;
  private final AtomicReference<Object> shownBy = new AtomicReference<>();

  private ResidentEngine(
      PolicyEngine engine,
      EngineStatistics statistics,
      LoadedPolicy loaded,
      DeviceThread device,
      ExecutorService preparation,
      ClockAlarm alarm) {
    this.engine = engine;
    this.statistics = statistics;
    this.loaded = loaded;
    this.device = device;
    this.preparation = preparation;
    this.alarm = alarm;
  }

  /**
   * Loads a policy and starts its engine; returns when it can serve.
   *
   * @param statistics take up where an earlier engine of the same kind ended
   */
  static ResidentEngine start(EngineSpec spec, PolicyLoader loader, EngineStatistics statistics)
      throws Exception {
    DeviceThread device = new DeviceThread("pi0-" + spec.device());
    Future<Rehearsed> loading = device.submit(() -> load(spec, loader, statistics));
    Rehearsed rehearsed;
    try {
      rehearsed = loading.get();
    } catch (ExecutionException e) {
      device.shutdown();
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    } catch (InterruptedException e) {
      // The task was cancelled: what is still loading is freed as soon as it is there.
      device.execute(
          () -> {
            if (loading.state() == Future.State.SUCCESS) {
              free(loading.resultNow().loaded());
            }
          });
      device.shutdown();
      throw e;
    }
    ExecutorService preparation =
        threads("pi0-prepare", Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    LoadedPolicy loaded = rehearsed.loaded();
    ClockAlarm alarm = new ClockAlarm();
    PolicyEngine engine =
        new PolicyEngine(
            loaded.policy(),
            loaded.noise(),
            new Surroundings(
                InstantSource.system(), alarm, device::execute, preparation, statistics),
            new EngineSettings(spec.maxBatch(), loaded.rule(), spec.hangs()),
            rehearsed.curve());
    LOG.info(
        "serving checkpoint {} ({}) on {}",
        spec.checkpoint(),
        loaded.policy().checkpointDigest(),
        loaded.policy().deviceLabel());
    return new ResidentEngine(engine, statistics, loaded, device, preparation, alarm);
  }

  /** A policy, and how long its batches take. */
  private record Rehearsed(LoadedPolicy loaded, LatencyCurve curve) {}

  /** On the device's thread. */
  private static Rehearsed load(EngineSpec spec, PolicyLoader loader, EngineStatistics statistics)
      throws Exception {
    LoadedPolicy loaded = loader.load(spec);
    try {
      statistics.opened(loaded.policy());
      return new Rehearsed(
          loaded,
          spec.warmUp().isPositive()
              ? loaded.policy().rehearse(spec.maxBatch(), spec.warmUp())
              : new LatencyCurve());
    } catch (RuntimeException | Error e) {
      free(loaded);
      throw e;
    }
  }

  /** The engine, for as long as it is held in the pool. */
  public PolicyEngine engine() {
    return engine;
  }

  /** What its batches were. */
  EngineStatistics statistics() {
    return statistics;
  }

  /**
   * Lets a task show this engine's metrics, if no other does: if all its tasks showed them, sums
   * over tasks would be too large.
   *
   * @return whether the task is to show them
   */
  boolean beginShowing(Object task) {
    return shownBy.compareAndSet(null, task);
  }

  /** A task shows no metrics any more. */
  void endShowing(Object task) {
    shownBy.compareAndSet(task, null);
  }

  /**
   * Takes no request any more, lets a running batch end and frees the device. A device that hangs
   * is interrupted; where that does not help either, it is given up.
   */
  @Override
  public void close() {
    engine.close();
    alarm.close();
    preparation.shutdown();
    device.execute(() -> free(loaded));
    device.shutdown();
    if (engine.isHanging()) {
      device.interrupt();
    }
    try {
      if (!device.awaitTermination(LAST_BATCH_SECONDS)) {
        LOG.error(
            "device {} does not come back from its last batch and is given up; what it holds is free"
                + " again when this process ends",
            loaded.policy().deviceLabel());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void free(LoadedPolicy loaded) {
    try {
      loaded.device().close();
    } catch (Exception e) {
      LOG.warn("the device does not close", e);
    }
  }

  private static ExecutorService threads(String name, int count) {
    return Executors.newFixedThreadPool(
        count, Thread.ofPlatform().daemon().name(name + "-", 0).factory());
  }
}
