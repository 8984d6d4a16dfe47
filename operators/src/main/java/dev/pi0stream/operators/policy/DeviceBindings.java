package dev.pi0stream.operators.policy;

import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which subtask has which device of this TaskManager. Flink shows every subtask all of them; here
 * they are given out evenly, and a subtask that is started again finds the device that it had, with
 * the engine that is resident there.
 */
final class DeviceBindings {
  private final IdentityHashMap<Object, Map<Integer, Binding>> jobs = new IdentityHashMap<>();

  /** What a subtask has, or had before it was stopped. */
  private record Binding(String device, boolean open) {}

  /**
   * The device of a subtask until it is {@linkplain #release released}.
   *
   * @param job by identity
   * @param devices all of this TaskManager, at least one
   */
  synchronized String acquire(Object job, int subtask, List<String> devices) {
    Map<Integer, Binding> bindings = jobs.computeIfAbsent(job, _ -> new HashMap<>());
    Binding before = bindings.remove(subtask);
    String device =
        before != null && devices.contains(before.device()) && hasRoom(bindings, before, devices)
            ? before.device()
            : leastUsed(bindings, devices);
    bindings.put(subtask, new Binding(device, true));
    return device;
  }

  /** A subtask has stopped; it finds its device again unless others need it more. */
  synchronized void release(Object job, int subtask) {
    Map<Integer, Binding> bindings = jobs.getOrDefault(job, Map.of());
    Binding before = bindings.get(subtask);
    if (before != null) {
      bindings.put(subtask, new Binding(before.device(), false));
    }
  }

  /** A job has left. */
  synchronized void forget(Object job) {
    jobs.remove(job);
  }

  /** Subtasks may have moved between TaskManagers meanwhile: no more than an even share stays. */
  private static boolean hasRoom(
      Map<Integer, Binding> others, Binding before, List<String> devices) {
    int share = Math.ceilDiv(others.size() + 1, devices.size());
    return uses(others, before.device(), true) < share;
  }

  private static String leastUsed(Map<Integer, Binding> bindings, List<String> devices) {
    return devices.stream()
        .min(
            Comparator.comparingLong((String device) -> uses(bindings, device, true))
                .thenComparingLong(device -> uses(bindings, device, false)))
        .orElseThrow();
  }

  private static long uses(Map<Integer, Binding> bindings, String device, boolean open) {
    return bindings.values().stream()
        .filter(binding -> binding.open() == open && binding.device().equals(device))
        .count();
  }
}
