package dev.pi0stream.model.processor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.JsonFile;
import dev.pi0stream.model.checkpoint.Normalization;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyType;
import dev.pi0stream.model.image.ResizeWithPad;
import dev.pi0stream.model.text.PromptFormat;
import dev.pi0stream.model.text.Prompts;
import dev.pi0stream.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The conventions of a checkpoint of LeRobot, from its two processor files. They count, not {@code
 * config.json}, which LeRobot only made them from; relative actions alone may be switched on by
 * either.
 */
final class LeRobotConventions {
  private static final String PREPROCESSOR = "policy_preprocessor.json";
  private static final String POSTPROCESSOR = "policy_postprocessor.json";

  private static final String RENAME = "rename_observations_processor";
  private static final String BATCH = "to_batch_processor";
  private static final String NEWLINE = "pi0_new_line_processor";
  private static final String STATE_PROMPT = "pi05_prepare_state_tokenizer_processor_step";
  private static final String TOKENIZER = "tokenizer_processor";
  private static final String DEVICE = "device_processor";
  private static final String RELATIVE = "relative_actions_processor";
  private static final String NORMALIZER = "normalizer_processor";
  private static final String UNNORMALIZER = "unnormalizer_processor";
  private static final String ABSOLUTE = "absolute_actions_processor";

  private static final String STATE_FEATURE = "observation.state";
  private static final String ACTION_FEATURE = "action";
  private static final String IMAGES = "observation.images.";

  /** {@code TokenizerProcessorStep.max_length}, where a file does not say it. */
  private static final int DEFAULT_MAX_LENGTH = 512;

  private final Path folder;
  private final PolicyConfig config;
  private final Pipeline before;
  private final Pipeline after;

  private LeRobotConventions(Path folder, PolicyConfig config, String prompt) {
    this.folder = folder;
    this.config = config;
    before =
        Pipeline.read(
            folder.resolve(PREPROCESSOR),
            Set.of(RENAME, BATCH, prompt, TOKENIZER, DEVICE, RELATIVE, NORMALIZER));
    after = Pipeline.read(folder.resolve(POSTPROCESSOR), Set.of(UNNORMALIZER, ABSOLUTE, DEVICE));
    before.get(prompt);
    before.requireOrder(prompt, TOKENIZER);
    if (prompt.equals(STATE_PROMPT)) {
      before.requireOrder(NORMALIZER, STATE_PROMPT);
    }
  }

  static Processor.Conventions read(Path folder, PolicyConfig config) {
    boolean pi0 = config.type() == PolicyType.PI0;
    return new LeRobotConventions(folder, config, pi0 ? NEWLINE : STATE_PROMPT)
        .conventions(pi0 ? PromptFormat.PI0_LEROBOT : PromptFormat.PI05);
  }

  private Processor.Conventions conventions(PromptFormat format) {
    JsonFile tokens = before.get(TOKENIZER).config();
    if (!tokens.flag("truncation", true)) {
      throw tokens.wrong("truncation", tokens.node().get("truncation"), "true");
    }
    Tokenizer tokenizer = Tokenizer.read(folder.resolve("tokenizer.json"));
    return new Processor.Conventions(
        renamed(),
        ResizeWithPad.LEROBOT,
        new Prompts(tokenizer, format, tokens.integer("max_length", 1, DEFAULT_MAX_LENGTH)),
        normalizer(before.get(NORMALIZER), STATE_FEATURE, "STATE", config.stateDimension()),
        normalizer(after.get(UNNORMALIZER), ACTION_FEATURE, "ACTION", config.actionDimension()),
        relative(),
        config.stateDimension(),
        config.actionDimension(),
        true);
  }

  private Map<String, String> renamed() {
    Map<String, String> renamed = new HashMap<>();
    before
        .find(RENAME)
        .flatMap(step -> step.config().optionalObject("rename_map"))
        .ifPresent(
            map -> {
              for (Map.Entry<String, JsonNode> entry : map.node().properties()) {
                renamed.put(camera(entry.getKey()), camera(map.text(entry.getKey())));
              }
            });
    return Map.copyOf(renamed);
  }

  private static String camera(String key) {
    return key.startsWith(IMAGES) ? key.substring(IMAGES.length()) : key;
  }

  /**
   * The normaliser of a feature.
   *
   * @param kind the feature's type in {@code norm_map}
   */
  private Normalizer normalizer(Pipeline.Step step, String feature, String kind, int columns) {
    JsonFile settings = step.config();
    requireIdentityOfImages(settings);
    Normalization mode = mode(settings, feature, kind);
    float epsilon = (float) settings.positive("eps", 1e-8);
    if (mode == Normalization.IDENTITY) {
      return new LeRobotNormalizer(mode, new float[columns], new float[columns], epsilon);
    }
    if (step.state() == null) {
      throw new CheckpointException(
          "%s: step '%s' has no state_file; expected one with the statistics of %s"
              .formatted(settings.file(), step.name(), feature));
    }
    Statistics statistics = Statistics.ofLeRobot(step.state());
    Statistics.Range range = statistics.range(feature, mode);
    if (range.low().length != columns) {
      throw new CheckpointException(
          "%s: '%s.%s' has %d numbers; expected %d, as %s says"
              .formatted(
                  statistics.file(),
                  feature,
                  Statistics.names(mode).getFirst(),
                  range.low().length,
                  columns,
                  config.file()));
    }
    return new LeRobotNormalizer(mode, floats(range.low()), floats(range.high()), epsilon);
  }

  private static Normalization mode(JsonFile settings, String feature, String kind) {
    JsonFile modes = settings.object("norm_map");
    boolean leftOut =
        settings.has("normalize_observation_keys")
            && feature.equals(STATE_FEATURE)
            && !settings.texts("normalize_observation_keys").contains(feature);
    if (leftOut || !modes.has(kind)) {
      return Normalization.IDENTITY;
    }
    Normalization mode = modes.oneOf(kind, Normalization.class);
    if (mode != Normalization.IDENTITY
        && feature.equals(STATE_FEATURE)
        && !settings.object("features").has(feature)) {
      throw new CheckpointException(
          "%s: field '%sfeatures' lacks %s, which would leave it as it is; expected it there"
              .formatted(settings.file(), settings.place(), feature));
    }
    return mode;
  }

  private static void requireIdentityOfImages(JsonFile settings) {
    JsonFile modes = settings.object("norm_map");
    if (modes.has("VISUAL")
        && modes.oneOf("VISUAL", Normalization.class) != Normalization.IDENTITY) {
      throw modes.wrong(
          "VISUAL", modes.node().get("VISUAL"), "IDENTITY, since pixels are scaled to [−1, 1]");
    }
  }

  private RelativeActions relative() {
    JsonFile step = before.find(RELATIVE).map(Pipeline.Step::config).orElse(null);
    boolean enabled = step != null && step.flag("enabled", false);
    boolean added =
        after.find(ABSOLUTE).map(found -> found.config().flag("enabled", false)).orElse(false);
    if (enabled != added) {
      throw new CheckpointException(
          "%s: relative actions are %s before the policy and %s after it; expected the same"
              .formatted(folder, enabled ? "on" : "off", added ? "on" : "off"));
    }
    if (!enabled && !config.relativeActions()) {
      return RelativeActions.NONE;
    }
    before.requireOrder(RELATIVE, NORMALIZER);
    after.requireOrder(UNNORMALIZER, ABSOLUTE);
    List<String> excluded = config.relativeExcludedJoints();
    List<String> names = config.actionNames();
    if (enabled) {
      List<String> stepExcluded = texts(step, "exclude_joints");
      List<String> stepNames = texts(step, "action_names");
      if (config.relativeActions() && !(stepExcluded.equals(excluded) && stepNames.equals(names))) {
        throw new CheckpointException(
            "%s and %s name different columns of relative actions: %s of %s and %s of %s"
                .formatted(before.file(), config.file(), stepExcluded, stepNames, excluded, names));
      }
      excluded = stepExcluded;
      names = stepNames;
    }
    RelativeActions relative = RelativeActions.excluding(excluded, names, config.actionDimension());
    if (relative.stateDimensions() > config.stateDimension()) {
      throw new CheckpointException(
          "%s: %d columns of actions are relative to a state of %d numbers"
              .formatted(config.file(), relative.stateDimensions(), config.stateDimension()));
    }
    return relative;
  }

  private static List<String> texts(JsonFile step, String field) {
    return step.has(field) ? step.texts(field) : List.of();
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
