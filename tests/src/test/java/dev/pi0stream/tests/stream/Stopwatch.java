package dev.pi0stream.tests.stream;

import java.io.Serializable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToLongFunction;
import org.apache.flink.api.common.functions.MapFunction;

/** A place in a job where it is noted when each observation passes, by its number. */
final class Stopwatch<T> implements MapFunction<T, T> {
  private static final long serialVersionUID = 1L;
  private static final Map<String, Map<Long, Long>> PASSED = new ConcurrentHashMap<>();

  private final String place;
  private final Numbering<T> number;

  /** The number of what passes. */
  interface Numbering<T> extends ToLongFunction<T>, Serializable {}

  Stopwatch(String place, Numbering<T> number) {
    this.place = place;
    this.number = number;
  }

  /** When each number passed a place, in nanoseconds. */
  static Map<Long, Long> passed(String place) {
    return PASSED.computeIfAbsent(place, _ -> new ConcurrentHashMap<>());
  }

  /** Notes that a number passes a place now. */
  static void pass(String place, long number) {
    passed(place).put(number, System.nanoTime());
  }

  @Override
  public T map(T value) {
    pass(place, number.applyAsLong(value));
    return value;
  }
}
