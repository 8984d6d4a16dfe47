package dev.pi0stream.tests.stream;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.functions.MapFunction;

/** Fails a task when the element of a number comes by; each such fault happens once. */
final class FaultInjection<T> implements MapFunction<T, T> {
  private static final long serialVersionUID = 1L;
  private static final Map<String, AtomicInteger> SEEN = new ConcurrentHashMap<>();

  private final String name;
  private final int element;

  /**
   * @param name of the fault, unique in this process
   * @param element counted over all attempts of the task
   */
  FaultInjection(String name, int element) {
    this.name = name;
    this.element = element;
  }

  @Override
  public T map(T value) {
    int seen = SEEN.computeIfAbsent(name, _ -> new AtomicInteger()).incrementAndGet();
    if (seen == element) {
      throw new IllegalStateException("injected fault " + name);
    }
    return value;
  }
}
