package dev.pi0stream.operators.policy;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** The one thread of a device: what was made on it must be used and freed on it. */
final class DeviceThread {
  private final ExecutorService executor;
  private volatile Thread thread;

  DeviceThread(String name) {
    executor =
        Executors.newSingleThreadExecutor(
            task -> {
              thread = Thread.ofPlatform().daemon().name(name).unstarted(task);
              return thread;
            });
  }

  <T> Future<T> submit(Callable<T> task) {
    return executor.submit(task);
  }

  void execute(Runnable task) {
    executor.execute(task);
  }

  /** Takes no task any more; what was taken is done. */
  void shutdown() {
    executor.shutdown();
  }

  /** Interrupts the task that runs; those behind it are done even so. */
  void interrupt() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
    }
  }

  /** Whether all is done within some seconds. */
  boolean awaitTermination(long seconds) throws InterruptedException {
    return executor.awaitTermination(seconds, TimeUnit.SECONDS);
  }
}
