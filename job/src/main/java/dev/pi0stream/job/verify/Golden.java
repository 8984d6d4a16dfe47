package dev.pi0stream.job.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * A folder of golden vectors, as its {@code manifest.json} describes it. Sections that the manifest
 * does not have are empty; what it names has to be there.
 *
 * @param directory the folder
 * @param checkpoints folders of checkpoints, by name
 * @param cases whole cases, with and without real-time chunking
 * @param operations files of single operations
 * @param preprocess files of openpi's conventions
 * @param tokenizers files of texts and their ids
 * @param actionQueues scripts for the action queue
 * @param errorsFile the file of {@code errors}
 * @param errors LeRobot's own bfloat16 rms error of the final x, by the name of the case
 */
record Golden(
    Path directory,
    Map<String, Path> checkpoints,
    List<GoldenCase> cases,
    List<Operation> operations,
    List<Operation> preprocess,
    List<String> tokenizers,
    List<String> actionQueues,
    String errorsFile,
    Map<String, Double> errors) {

  private static final String MANIFEST = "manifest.json";
  private static final String ERRORS = "bf16-errors.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Single operations of one file.
   *
   * @param file relative to the folder
   * @param kind the name of the operation
   * @param tolerance the largest absolute error; empty where {@code relativeTolerance} holds
   * @param tensors the names that the manifest lists for the file
   * @param about the manifest's whole entry
   */
  record Operation(
      String file,
      String kind,
      OptionalDouble tolerance,
      OptionalDouble relativeTolerance,
      List<String> tensors,
      JsonNode about) {}

  /**
   * Reads the manifest of a folder.
   *
   * @throws GoldenException if there is none, or it is broken
   */
  static Golden open(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new GoldenException(directory + ": expected a folder of golden vectors, found none");
    }
    JsonNode manifest = json(directory.resolve(MANIFEST));
    if (!manifest.isObject()) {
      throw new GoldenException(directory.resolve(MANIFEST) + ": expected a JSON object");
    }
    return new Reader(directory).read(manifest);
  }

  /** Parses a JSON file of the folder. */
  static JsonNode json(Path file) {
    try {
      return JSON.readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      throw new GoldenException(file + ": not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new GoldenException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private boolean isEmpty() {
    return cases.isEmpty()
        && operations.isEmpty()
        && preprocess.isEmpty()
        && tokenizers.isEmpty()
        && actionQueues.isEmpty();
  }

  /** The file of a section's entry. */
  Path resolve(String file) {
    return directory.resolve(file);
  }

  /** The folder of a checkpoint that a case or an operation names. */
  Path checkpoint(String name) {
    Path checkpoint = checkpoints.get(name);
    if (checkpoint == null) {
      throw new GoldenException(
          "%s: the checkpoint '%s' is not among %s"
              .formatted(directory.resolve(MANIFEST), name, checkpoints.keySet()));
    }
    return checkpoint;
  }

  private record Reader(Path directory) {
    Golden read(JsonNode manifest) {
      Map<String, Path> checkpoints = new LinkedHashMap<>();
      manifest
          .path("checkpoints")
          .properties()
          .forEach(entry -> checkpoints.put(entry.getKey(), checkpoint(entry.getValue())));
      List<GoldenCase> cases = new ArrayList<>();
      manifest.path("cases").forEach(entry -> cases.add(goldenCase(entry, false)));
      manifest.path("rtc").forEach(entry -> cases.add(goldenCase(entry, true)));
      Golden golden =
          new Golden(
              directory,
              checkpoints,
              cases,
              operations(manifest.path("ops")),
              operations(manifest.path("preprocess")),
              files(manifest.path("tokenizer")),
              files(manifest.path("action_queue")),
              manifest.path("errors").asText(ERRORS),
              errors(directory.resolve(manifest.path("errors").asText(ERRORS))));
      if (golden.isEmpty()) {
        throw new GoldenException(
            directory.resolve(MANIFEST)
                + ": names nothing to verify; expected cases, ops or others");
      }
      return golden;
    }

    private GoldenCase goldenCase(JsonNode entry, boolean realTime) {
      String file = file(entry);
      GoldenCase.RealTime chunking =
          realTime
              ? new GoldenCase.RealTime(
                  text(entry, "schedule"),
                  optional(entry, "inference_delay"),
                  optional(entry, "execution_horizon"),
                  integer(entry, "configured_execution_horizon"),
                  number(entry, "max_guidance_weight"))
              : null;
      Map<String, List<Integer>> masked = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> camera : entry.path("masked_rows").properties()) {
        List<Integer> rows = new ArrayList<>();
        camera.getValue().forEach(row -> rows.add(row.intValue()));
        masked.put(camera.getKey(), rows);
      }
      List<String> prompts = new ArrayList<>();
      require(entry, "prompts").forEach(prompt -> prompts.add(prompt.textValue()));
      JsonNode config = entry.path("config");
      return new GoldenCase(
          file,
          entry.path("name").asText(file),
          text(entry, "checkpoint"),
          config.isObject() ? (ObjectNode) config : JSON.createObjectNode(),
          realTime && entry.hasNonNull("inputs_from") ? text(entry, "inputs_from") : file,
          integer(entry, "num_steps"),
          prompts,
          masked,
          Tolerances.of(entry.path("tolerance")),
          names(entry.path("tensors")),
          chunking);
    }

    private List<Operation> operations(JsonNode section) {
      List<Operation> operations = new ArrayList<>();
      for (JsonNode entry : section) {
        operations.add(
            new Operation(
                file(entry),
                text(entry, "op"),
                optionalNumber(entry, "tolerance"),
                optionalNumber(entry, "relative_tolerance"),
                names(entry.path("tensors")),
                entry));
      }
      return operations;
    }

    private List<String> files(JsonNode section) {
      List<String> files = new ArrayList<>();
      if (section.isObject()) {
        files.add(file(section));
      } else {
        section.forEach(entry -> files.add(file(entry)));
      }
      return files;
    }

    private static Map<String, Double> errors(Path file) {
      Map<String, Double> errors = new LinkedHashMap<>();
      if (Files.exists(file)) {
        for (Map.Entry<String, JsonNode> entry : json(file).path("cases").properties()) {
          JsonNode rms = entry.getValue().path("bfloat16").path("rms_error");
          if (rms.isNumber()) {
            errors.put(entry.getKey(), rms.doubleValue());
          }
        }
      }
      return errors;
    }

    private Path checkpoint(JsonNode entry) {
      Path checkpoint = directory.resolve(text(entry, "directory"));
      if (!Files.isDirectory(checkpoint)) {
        throw new GoldenException(
            "%s names the checkpoint %s, which is not there"
                .formatted(directory.resolve(MANIFEST), checkpoint));
      }
      return checkpoint;
    }

    private String file(JsonNode entry) {
      String file = text(entry, "file");
      if (!Files.isRegularFile(directory.resolve(file))) {
        throw new GoldenException(
            "%s names %s, which is not there".formatted(directory.resolve(MANIFEST), file));
      }
      return file;
    }

    private static List<String> names(JsonNode tensors) {
      return tensors.propertyStream().map(Map.Entry::getKey).toList();
    }

    private JsonNode require(JsonNode entry, String field) {
      JsonNode value = entry.path(field);
      if (value.isMissingNode() || value.isNull()) {
        throw new GoldenException(
            "%s: the entry of '%s' has no '%s'"
                .formatted(
                    directory.resolve(MANIFEST), entry.path("file").asText("a checkpoint"), field));
      }
      return value;
    }

    private String text(JsonNode entry, String field) {
      return require(entry, field).asText();
    }

    private int integer(JsonNode entry, String field) {
      return require(entry, field).intValue();
    }

    private double number(JsonNode entry, String field) {
      return require(entry, field).doubleValue();
    }

    private static Integer optional(JsonNode entry, String field) {
      return entry.hasNonNull(field) ? Integer.valueOf(entry.path(field).intValue()) : null;
    }

    private static OptionalDouble optionalNumber(JsonNode entry, String field) {
      return entry.path(field).isNumber()
          ? OptionalDouble.of(entry.path(field).doubleValue())
          : OptionalDouble.empty();
    }
  }
}
