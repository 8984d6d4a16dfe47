package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.policy.ActionQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/** Scripts for the queue of a robot's actions: calls, and what each gives and leaves behind. */
final class ActionQueueCheck {
  private final Golden golden;

  ActionQueueCheck(Golden golden) {
    this.golden = golden;
  }

  void run(String file, Comparisons comparisons) {
    for (JsonNode script : Golden.json(golden.resolve(file))) {
      boolean realTime = script.path("rtc_enabled").asBoolean();
      ActionQueue queue = new ActionQueue(realTime);
      int line = 0;
      String difference = null;
      for (JsonNode call : script.path("script")) {
        line++;
        String found = call(queue, call);
        if (found != null && difference == null) {
          difference = "call %d, %s: %s".formatted(line, call.path("call").asText(), found);
        }
      }
      comparisons.same(
          file,
          "script.rtc_" + (realTime ? "enabled" : "disabled"),
          difference == null,
          difference);
    }
  }

  /** Makes one call; null, or what differs from the script. */
  private static String call(ActionQueue queue, JsonNode call) {
    List<Double> gives = new ArrayList<>();
    switch (call.path("call").asText()) {
      case "merge" -> {
        int first = call.path("original").path(0).asInt();
        int last = call.path("original").path(1).asInt();
        List<float[]> original = new ArrayList<>();
        List<float[]> processed = new ArrayList<>();
        for (int value = first; value <= last; value++) {
          original.add(new float[] {value});
          processed.add(new float[] {-value});
        }
        // The index before inference only makes LeRobot's queue, and ours, warn.
        queue.merge(original, processed, call.path("delay").asInt(), OptionalInt.empty());
      }
      case "get" -> {
        for (int i = 0; i < call.path("times").asInt(); i++) {
          gives.add(queue.next().map(ActionQueueCheck::first).orElse(null));
        }
      }
      case "clear" -> queue.clear();
      default -> {
        return "unknown call";
      }
    }
    String given = differs("gives", numbers(call.path("gives")), gives);
    if (given != null) {
      return given;
    }
    JsonNode after = call.path("after");
    if (queue.size() != after.path("size").asInt()) {
      return "size %d, expected %s".formatted(queue.size(), after.path("size"));
    }
    if (queue.index() != after.path("index").asInt()) {
      return "index %d, expected %s".formatted(queue.index(), after.path("index"));
    }
    List<Double> leftover =
        queue
            .leftover()
            .map(rest -> rest.stream().map(ActionQueueCheck::first).toList())
            .orElse(null);
    List<Double> expected =
        after.path("left_over").isArray() ? numbers(after.path("left_over")) : null;
    return differs("left over", expected, leftover);
  }

  private static String differs(String what, List<Double> expected, List<Double> computed) {
    return Objects.equals(expected, computed)
        ? null
        : "%s %s, expected %s".formatted(what, computed, expected);
  }

  private static List<Double> numbers(JsonNode array) {
    List<Double> numbers = new ArrayList<>();
    array.forEach(number -> numbers.add(number.isNumber() ? unsigned(number.doubleValue()) : null));
    return numbers;
  }

  private static Double first(float[] action) {
    return unsigned(action[0]);
  }

  /** Without the sign of a zero, of which the scripts have some. */
  private static Double unsigned(double value) {
    return value + 0.0;
  }
}
