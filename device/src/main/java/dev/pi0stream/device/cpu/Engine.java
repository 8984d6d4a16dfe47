package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;

/** oneDNN's engine for the processor and a stream that runs primitives one after the other. */
final class Engine implements AutoCloseable {
  private final MemorySegment engine;
  private final MemorySegment stream;
  private final int threads;

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

  /**
   * Makes the calling thread compile and run primitives with so many threads. OpenMP keeps the
   * number for each calling thread, and oneDNN compiles a primitive for the number it finds.
   */
  void use(int count) {
    OneDnn.setThreads(count);
  }

  /** Runs a primitive and waits for it. */
  void execute(MemorySegment primitive, int count, MemorySegment arguments) {
    OneDnn.primitiveExecute(primitive, stream, count, arguments);
    OneDnn.streamWait(stream);
  }

  @Override
  public void close() {
    OneDnn.streamDestroy(stream);
    OneDnn.engineDestroy(engine);
  }
}
