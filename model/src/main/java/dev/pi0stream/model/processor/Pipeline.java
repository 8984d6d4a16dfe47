package dev.pi0stream.model.processor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.JsonFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The steps of {@code policy_preprocessor.json} or {@code policy_postprocessor.json}, in which
 * LeRobot keeps what happens before and after a policy. A step that is not known here would change
 * values, so it is refused, as is an order in which known steps would mean something else.
 */
final class Pipeline {
  private final Path file;
  private final Map<String, Step> steps;

  private Pipeline(Path file, Map<String, Step> steps) {
    this.file = file;
    this.steps = steps;
  }

  /**
   * A step.
   *
   * @param config its settings
   * @param state its safetensors file; null if it has none
   */
  record Step(String name, JsonFile config, Path state) {}

  /**
   * Reads a pipeline.
   *
   * @param known the names of steps that may occur
   * @throws CheckpointException if the file is missing, broken, or has another step or one twice
   */
  static Pipeline read(Path file, Set<String> known) {
    JsonFile root = JsonFile.read(file);
    JsonNode list = root.node().path("steps");
    if (!list.isArray()) {
      throw new CheckpointException(file + ": field 'steps' is missing; expected a list");
    }
    Map<String, Step> steps = new LinkedHashMap<>();
    for (int i = 0; i < list.size(); i++) {
      String place = "steps[%d].".formatted(i);
      if (!list.get(i).isObject()) {
        throw root.wrong("steps[%d]".formatted(i), list.get(i), "an object");
      }
      JsonFile step = new JsonFile(file, place, list.get(i));
      String name = step.text("registry_name");
      if (!known.contains(name)) {
        throw new CheckpointException(
            "%s: step '%s' is not supported; expected one of %s"
                .formatted(file, name, known.stream().sorted().toList()));
      }
      Path state = step.has("state_file") ? file.resolveSibling(step.text("state_file")) : null;
      if (steps.put(name, new Step(name, step.object("config"), state)) != null) {
        throw new CheckpointException(
            "%s: step '%s' is there twice; expected it once".formatted(file, name));
      }
    }
    return new Pipeline(file, steps);
  }

  Path file() {
    return file;
  }

  Optional<Step> find(String name) {
    return Optional.ofNullable(steps.get(name));
  }

  /** A step that has to be there. */
  Step get(String name) {
    return find(name)
        .orElseThrow(
            () -> new CheckpointException("%s: step '%s' is missing".formatted(file, name)));
  }

  /** Refuses another order of two steps, if both are there. */
  void requireOrder(String first, String second) {
    List<String> order = List.copyOf(steps.keySet());
    if (steps.containsKey(second) && order.indexOf(first) > order.indexOf(second)) {
      throw new CheckpointException(
          "%s: step '%s' comes after '%s'; expected it before".formatted(file, first, second));
    }
  }
}
