package dev.pi0stream.job.run;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Something that is opened on a thread of its own while others are opened too.
 *
 * @param <T> closed with this
 */
final class Background<T extends AutoCloseable> implements AutoCloseable {
  private final FutureTask<T> opening;

  private Background(FutureTask<T> opening) {
    this.opening = opening;
  }

  /** Begins to open. */
  static <T extends AutoCloseable> Background<T> open(String name, Callable<T> opening) {
    FutureTask<T> task = new FutureTask<>(opening);
    Thread.ofPlatform().name(name).daemon().start(task);
    return new Background<>(task);
  }

  /** What was opened; waits for it, and throws what its opening threw. */
  T get() throws Exception {
    try {
      return opening.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** Closes what was opened, also when nobody asked for it. */
  @Override
  public void close() {
    try {
      opening.get().close();
    } catch (ExecutionException e) {
      // Nothing is open; whoever wanted it has been told.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }
}
