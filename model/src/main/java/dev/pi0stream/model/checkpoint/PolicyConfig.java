package dev.pi0stream.model.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What {@code config.json} says about a policy. LeRobot's form ({@code PI0Config}, {@code
 * PI05Config}) says most of it itself; openpi's converter writes only {@code action_dim}, {@code
 * action_horizon}, the variants and the precision, so that the rest are openpi's constants.
 *
 * @param cameras names of the cameras in the order of the input features, without {@code
 *     observation.images.} and without those that {@code emptyCameras} adds
 * @param emptyCameras cameras {@code empty_camera_0…} that are always missing
 * @param stateDimension numbers of the robot's state; openpi's form does not say it and has the
 *     padded width here
 * @param actionDimension numbers of an action, likewise
 * @param chunkSize actions of a chunk
 * @param actionSteps how many of them a robot is meant to execute
 * @param maxStateDimension width that states are padded to
 * @param maxActionDimension width of the actions in the network
 * @param inferenceSteps steps of Euler's method
 * @param minPeriod shortest period of the time embedding
 * @param maxPeriod longest period of the time embedding
 * @param maxTokens tokens of a prompt, with its first one; longer ones are cut
 * @param imageResolution side of the square images, in pixels
 * @param relativeActions whether the network's actions are relative to the state
 * @param relativeExcludedJoints parts of the names of dimensions that stay absolute all the same
 * @param actionNames names of the action's dimensions; empty where they are not known
 * @param file where this was read
 * @param json the document that this was read from, with what was replaced in it
 */
public record PolicyConfig(
    Origin origin,
    PolicyType type,
    List<String> cameras,
    int emptyCameras,
    int stateDimension,
    int actionDimension,
    int chunkSize,
    int actionSteps,
    int maxStateDimension,
    int maxActionDimension,
    int inferenceSteps,
    double minPeriod,
    double maxPeriod,
    int maxTokens,
    int imageResolution,
    Normalization stateNormalization,
    Normalization actionNormalization,
    boolean relativeActions,
    List<String> relativeExcludedJoints,
    List<String> actionNames,
    Path file,
    JsonNode json) {

  /** The name of the file in a checkpoint's folder. */
  public static final String FILE = "config.json";

  private static final String IMAGES = "observation.images.";
  private static final String STATE = "observation.state";
  private static final String ACTION = "action";

  public PolicyConfig {
    Objects.requireNonNull(type, "type");
    cameras = List.copyOf(cameras);
    relativeExcludedJoints = List.copyOf(relativeExcludedJoints);
    actionNames = List.copyOf(actionNames);
    if (actionSteps > chunkSize) {
      throw new CheckpointException(
          "%s: n_action_steps is %d; expected at most chunk_size, which is %d"
              .formatted(file, actionSteps, chunkSize));
    }
    if (stateDimension > maxStateDimension) {
      throw new CheckpointException(
          "%s: the state has %d numbers; expected at most max_state_dim, which is %d"
              .formatted(file, stateDimension, maxStateDimension));
    }
    if (actionDimension > maxActionDimension) {
      throw new CheckpointException(
          "%s: an action has %d numbers; expected at most max_action_dim, which is %d"
              .formatted(file, actionDimension, maxActionDimension));
    }
    if (!actionNames.isEmpty() && actionNames.size() != actionDimension) {
      throw new CheckpointException(
          "%s: action_feature_names has %d names; expected one for each of the %d dimensions"
              .formatted(file, actionNames.size(), actionDimension));
    }
    if (minPeriod >= maxPeriod) {
      throw new CheckpointException(
          "%s: min_period is %s; expected less than max_period, which is %s"
              .formatted(file, minPeriod, maxPeriod));
    }
  }

  /**
   * Reads a configuration.
   *
   * @param stored the type that the tensors show, which openpi's form does not say
   * @throws CheckpointException if a field is missing or of the wrong type
   */
  static PolicyConfig read(Path file, PolicyType stored) {
    return parse(JsonFile.read(file), stored);
  }

  static PolicyConfig parse(JsonFile json, PolicyType stored) {
    if (json.has("type")) {
      return parseLeRobot(json);
    }
    if (json.has("action_horizon")) {
      return parseOpenpi(json, stored);
    }
    throw new CheckpointException(
        json.file() + ": has neither LeRobot's field 'type' nor openpi's field 'action_horizon'");
  }

  private static PolicyConfig parseLeRobot(JsonFile json) {
    PolicyType type = json.oneOf("type", PolicyType.class);
    int chunkSize = json.integer("chunk_size", 1);
    int maxStateDimension = json.integer("max_state_dim", 1, 32);
    int maxActionDimension = json.integer("max_action_dim", 1, 32);
    int emptyCameras = json.integer("empty_cameras", 0, 0);
    JsonFile inputs = json.object("input_features");
    // LeRobot's validate_features: without such a feature, it is as wide as the network's input.
    int stateDimension = inputs.has(STATE) ? dimension(inputs.object(STATE)) : maxStateDimension;
    int actionDimension =
        json.optionalObject("output_features")
            .flatMap(outputs -> outputs.optionalObject(ACTION))
            .map(PolicyConfig::dimension)
            .orElse(maxActionDimension);
    Normalization otherwise =
        type == PolicyType.PI0 ? Normalization.MEAN_STD : Normalization.QUANTILES;
    Optional<JsonFile> normalization = json.optionalObject("normalization_mapping");
    return new PolicyConfig(
        Origin.LEROBOT,
        type,
        cameras(inputs, emptyCameras),
        emptyCameras,
        stateDimension,
        actionDimension,
        chunkSize,
        json.integer("n_action_steps", 1, chunkSize),
        maxStateDimension,
        maxActionDimension,
        json.integer("num_inference_steps", 1, 10),
        json.positive("min_period", 4e-3),
        json.positive("max_period", 4.0),
        json.integer("tokenizer_max_length", 1, type == PolicyType.PI0 ? 48 : 200),
        resolution(json),
        mode(normalization, "STATE", otherwise),
        mode(normalization, "ACTION", otherwise),
        json.flag("use_relative_actions", false),
        json.has("relative_exclude_joints")
            ? json.texts("relative_exclude_joints")
            : List.of("gripper"),
        json.has("action_feature_names") ? json.texts("action_feature_names") : List.of(),
        json.file(),
        json.node());
  }

  /**
   * openpi: {@code Pi0Config}, {@code model.py} (IMAGE_KEYS, IMAGE_RESOLUTION), {@code
   * sample_actions}.
   */
  private static PolicyConfig parseOpenpi(JsonFile json, PolicyType type) {
    int actionDimension = json.integer("action_dim", 1);
    int horizon = json.integer("action_horizon", 1);
    Normalization normalization =
        type == PolicyType.PI0 ? Normalization.MEAN_STD : Normalization.QUANTILES;
    return new PolicyConfig(
        Origin.OPENPI,
        type,
        List.of("base_0_rgb", "left_wrist_0_rgb", "right_wrist_0_rgb"),
        0,
        actionDimension,
        actionDimension,
        horizon,
        horizon,
        actionDimension,
        actionDimension,
        10,
        4e-3,
        4.0,
        type == PolicyType.PI0 ? 48 : 200,
        224,
        normalization,
        normalization,
        false,
        List.of(),
        List.of(),
        json.file(),
        json.node());
  }

  /**
   * The same configuration with some of the document's fields replaced.
   *
   * @param overrides an object; each of its fields has to be one of the document's
   */
  public PolicyConfig with(JsonNode overrides) {
    ObjectNode merged = json.deepCopy();
    for (Map.Entry<String, JsonNode> entry : overrides.properties()) {
      if (!merged.has(entry.getKey())) {
        throw new CheckpointException(
            "%s: there is no field '%s' that could be replaced".formatted(file, entry.getKey()));
      }
      merged.set(entry.getKey(), entry.getValue());
    }
    return parse(JsonFile.of(file, merged), type);
  }

  private static List<String> cameras(JsonFile inputs, int emptyCameras) {
    List<String> cameras = new ArrayList<>();
    for (String key : inputs.node().propertyStream().map(Map.Entry::getKey).toList()) {
      if (inputs.object(key).text("type").equals("VISUAL")) {
        cameras.add(key.startsWith(IMAGES) ? key.substring(IMAGES.length()) : key);
      }
    }
    for (int i = 0; i < emptyCameras; i++) {
      cameras.remove("empty_camera_" + i);
    }
    if (cameras.isEmpty()) {
      throw new CheckpointException(
          "%s: field 'input_features' has no camera; expected one of type VISUAL"
              .formatted(inputs.file()));
    }
    return cameras;
  }

  private static int dimension(JsonFile feature) {
    List<Integer> shape = feature.integers("shape");
    if (shape.size() != 1) {
      throw feature.wrong("shape", feature.node().get("shape"), "one size");
    }
    return shape.getFirst();
  }

  private static int resolution(JsonFile json) {
    if (!json.has("image_resolution")) {
      return 224;
    }
    List<Integer> sides = json.integers("image_resolution");
    if (sides.size() != 2 || !sides.getFirst().equals(sides.getLast())) {
      throw json.wrong(
          "image_resolution", json.node().get("image_resolution"), "two equal sides in pixels");
    }
    return sides.getFirst();
  }

  private static Normalization mode(
      Optional<JsonFile> mapping, String kind, Normalization otherwise) {
    return mapping
        .map(modes -> modes.has(kind) ? modes.oneOf(kind, Normalization.class) : null)
        .orElse(mapping.isPresent() ? Normalization.IDENTITY : otherwise);
  }

  /** {@code pi0}, {@code pi05}: the type as configurations spell it. */
  public String typeName() {
    return type.toString();
  }
}
