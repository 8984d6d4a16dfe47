package dev.pi0stream.tests.stream;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.functions.MapFunction;

/** A place in a job where a task fails when a test says so; otherwise all passes. */
final class FaultInjection<T> implements MapFunction<T, T> {
  private static final long serialVersionUID = 1L;

  /** How many elements each armed place lets pass before it fails, in all attempts of the task. */
  private static final Map<String, Integer> ARMED = new ConcurrentHashMap<>();

  private final String place;

  /**
   * @param place its name, unique in this process
   */
  FaultInjection(String place) {
    this.place = place;
  }

  /** Lets a place fail, once, after it let some elements pass. */
  static void arm(String place, int passing) {
    ARMED.put(place, passing);
  }

  /** Takes back what has not happened. */
  static void disarm() {
    ARMED.clear();
  }

  /** Whether all faults have happened. */
  static boolean allHappened() {
    return ARMED.isEmpty();
  }

  @Override
  public T map(T value) {
    boolean[] due = {false};
    ARMED.computeIfPresent(
        place,
        (_, passing) -> {
          due[0] = passing == 0;
          return due[0] ? null : passing - 1;
        });
    if (due[0]) {
      throw new IllegalStateException("injected fault " + place);
    }
    return value;
  }
}
