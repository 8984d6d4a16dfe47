package dev.pi0stream.operators.policy;

import dev.pi0stream.model.engine.PolicyEngine;
import java.time.InstantSource;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
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
  private final ExecutorService device;
  private final ExecutorService preparation;

  private ResidentEngine(
      PolicyEngine engine,
      LoadedPolicy loaded,
      ExecutorService device,
      ExecutorService preparation) {
    this.engine = engine;
    this.loaded = loaded;
    this.device = device;
    this.preparation = preparation;
  }

  /** Loads a policy and starts its engine; returns when it can serve. */
  static ResidentEngine start(EngineSpec spec, PolicyLoader loader) throws Exception {
    ExecutorService device = threads("pi0-" + spec.device(), 1);
    Future<LoadedPolicy> loading = device.submit(() -> loader.load(spec));
    LoadedPolicy loaded;
    try {
      loaded = loading.get();
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
              free(loading.resultNow());
            }
          });
      device.shutdown();
      throw e;
    }
    ExecutorService preparation =
        threads("pi0-prepare", Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    PolicyEngine engine =
        new PolicyEngine(
            loaded.policy(),
            loaded.noise(),
            InstantSource.system(),
            device,
            preparation,
            spec.maxBatch());
    LOG.info(
        "serving checkpoint {} ({}) on {}",
        spec.checkpoint(),
        loaded.policy().checkpointDigest(),
        loaded.policy().deviceLabel());
    return new ResidentEngine(engine, loaded, device, preparation);
  }

  /** The engine, for as long as it is held in the pool. */
  public PolicyEngine engine() {
    return engine;
  }

  /** Takes no request any more, lets a running batch end and frees the device. */
  @Override
  public void close() {
    engine.close();
    preparation.shutdown();
    device.execute(() -> free(loaded));
    device.shutdown();
    try {
      if (!device.awaitTermination(LAST_BATCH_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the device is still busy {} s after its last request", LAST_BATCH_SECONDS);
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
