package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;

/** oneDNN's engine for the processor and a stream that runs primitives one after the other. */
final class Engine implements AutoCloseable {
  private final MemorySegment engine;
  private final MemorySegment stream;
  private final int threads;
  private long boundThread;

  /** An engine whose primitives use so many threads. */
  Engine(int threads) {
    this.threads = threads;
    engine = OneDnn.engineCreate();
    stream = OneDnn.streamCreate(engine);
  }

  MemorySegment pointer() {
    return engine;
  }

  int threads() {
    return threads;
  }

  /** Runs a primitive and waits for it. */
  void execute(MemorySegment primitive, int count, MemorySegment arguments) {
    // OpenMP keeps the number of threads for each calling thread.
    long caller = Thread.currentThread().threadId();
    if (boundThread != caller) {
      OneDnn.setThreads(threads);
      boundThread = caller;
    }
    OneDnn.primitiveExecute(primitive, stream, count, arguments);
    OneDnn.streamWait(stream);
  }

  @Override
  public void close() {
    OneDnn.streamDestroy(stream);
    OneDnn.engineDestroy(engine);
  }
}
