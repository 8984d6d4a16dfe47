package dev.pi0stream.model.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ActionQueueTest {
  static Stream<JsonNode> scripts() {
    JsonNode scripts =
        Golden.read(Golden.FOLDER.resolve(Golden.MANIFEST.at("/action_queue/file").textValue()));
    return StreamSupport.stream(scripts.spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void answersEveryCallAsLeRobotDoes(JsonNode script) {
    ActionQueue queue = new ActionQueue(script.get("rtc_enabled").booleanValue());
    for (JsonNode line : script.get("script")) {
      switch (line.get("call").textValue()) {
        case "get" -> {
          for (JsonNode expected : line.get("gives")) {
            Optional<float[]> action = queue.next();
            assertThat(action.isPresent()).as("%s", line).isEqualTo(!expected.isNull());
            action.ifPresent(a -> assertThat(a).containsExactly(expected.floatValue()));
          }
        }
        case "merge" -> {
          JsonNode range = line.get("original");
          List<float[]> original =
              IntStream.rangeClosed(range.get(0).intValue(), range.get(1).intValue())
                  .mapToObj(value -> new float[] {value})
                  .toList();
          List<float[]> processed =
              original.stream().map(action -> new float[] {-action[0]}).toList();
          JsonNode before = line.get("index_before");
          queue.merge(
              original,
              processed,
              line.get("delay").intValue(),
              before.isNull() ? OptionalInt.empty() : OptionalInt.of(before.intValue()));
        }
        case "clear" -> queue.clear();
        default -> throw new AssertionError(line);
      }
      checkState(queue, line);
    }
  }

  private static void checkState(ActionQueue queue, JsonNode line) {
    JsonNode after = line.get("after");
    assertThat(queue.size()).as("%s", line).isEqualTo(after.get("size").intValue());
    assertThat(queue.index()).as("%s", line).isEqualTo(after.get("index").intValue());
    if (after.get("left_over").isNull()) {
      assertThat(queue.leftover()).as("%s", line).isEmpty();
    } else {
      List<Float> expected = new ArrayList<>();
      after.get("left_over").forEach(value -> expected.add(value.floatValue()));
      assertThat(queue.leftover().orElseThrow().stream().map(action -> action[0]))
          .as("%s", line)
          .isEqualTo(expected);
    }
  }

  @Test
  void keepsItsOwnCopies() {
    ActionQueue queue = new ActionQueue(true);
    float[] action = {1};
    queue.merge(List.of(action), List.of(action), 0, OptionalInt.empty());
    action[0] = 2;

    assertThat(queue.leftover().orElseThrow().getFirst()).containsExactly(1);
    assertThat(queue.next()).hasValueSatisfying(next -> assertThat(next).containsExactly(1));
  }

  @Test
  void refusesAChunkOfTwoLengths() {
    ActionQueue queue = new ActionQueue(true);

    assertThatThrownBy(() -> queue.merge(List.of(), List.of(new float[1]), 0, OptionalInt.empty()))
        .hasMessage("a chunk of 0 actions in model units and 1 in robot units");
  }
}
