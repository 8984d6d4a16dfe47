package dev.pi0stream.tests.stream;

import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.functions.MapFunction;

/** Fails its task once: when the element of a number comes by, counted over all attempts. */
final class FaultInjection<T> implements MapFunction<T, T> {
  private static final long serialVersionUID = 1L;

  /** Outlives the tasks, which hold copies of this function. */
  private static final Map<UUID, AtomicInteger> SEEN = new ConcurrentHashMap<>();

  private final UUID fault = UUID.randomUUID();
  private final int element;

  /**
   * @param element from 1 on; 0 for no fault
   */
  FaultInjection(int element) {
    this.element = element;
  }

  @Override
  public T map(T value) {
    if (SEEN.computeIfAbsent(fault, _ -> new AtomicInteger()).incrementAndGet() == element) {
      throw new IllegalStateException("injected fault at element " + element);
    }
    return value;
  }
}
