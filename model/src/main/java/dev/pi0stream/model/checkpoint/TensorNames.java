package dev.pi0stream.model.checkpoint;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The names of a policy's tensors. Ours are those that openpi publishes: without the {@code model.}
 * that LeRobot's fine-tunes put before them, and as transformers ≥ 4.52 nests PaliGemma.
 */
final class TensorNames {
  static final String PALIGEMMA = "paligemma_with_expert.paligemma.";
  static final String VISION = PALIGEMMA + "model.vision_tower.vision_model.";
  static final String PROJECTOR = PALIGEMMA + "model.multi_modal_projector.linear.";
  static final String LANGUAGE = PALIGEMMA + "model.language_model.";
  static final String LANGUAGE_TABLE = LANGUAGE + "embed_tokens.weight";
  static final String LANGUAGE_HEAD = PALIGEMMA + "lm_head.weight";
  static final String EXPERT = "paligemma_with_expert.gemma_expert.model.";
  static final String EXPERT_HEAD = "paligemma_with_expert.gemma_expert.lm_head.weight";

  private static final String TIME_MLP_PI0 = "action_time_mlp_";
  private static final String TIME_MLP_PI05 = "time_mlp_";

  /** How transformers before 4.52 nested PaliGemma; the first that fits is translated. */
  private static final Map<String, String> LEGACY = new LinkedHashMap<>();

  static {
    LEGACY.put(PALIGEMMA + "language_model.model.", LANGUAGE);
    LEGACY.put(PALIGEMMA + "language_model.lm_head.", PALIGEMMA + "lm_head.");
    LEGACY.put(PALIGEMMA + "language_model.", LANGUAGE);
    LEGACY.put(PALIGEMMA + "model.language_model.model.", LANGUAGE);
    LEGACY.put(PALIGEMMA + "vision_tower.", PALIGEMMA + "model.vision_tower.");
    LEGACY.put(PALIGEMMA + "multi_modal_projector.", PALIGEMMA + "model.multi_modal_projector.");
  }

  private TensorNames() {}

  /** Our name of a tensor that a file stores under some name. */
  static String of(String stored) {
    String name = withoutPrefix(stored, "model.");
    for (Map.Entry<String, String> legacy : LEGACY.entrySet()) {
      if (name.startsWith(legacy.getKey())) {
        return legacy.getValue() + name.substring(legacy.getKey().length());
      }
    }
    return name;
  }

  /** The name with the time MLP under the name that this policy gives it. */
  static String of(String stored, PolicyType type) {
    String name = of(stored);
    String ours = type == PolicyType.PI0 ? TIME_MLP_PI0 : TIME_MLP_PI05;
    String others = type == PolicyType.PI0 ? TIME_MLP_PI05 : TIME_MLP_PI0;
    return name.startsWith(others) ? ours + name.substring(others.length()) : name;
  }

  private static String withoutPrefix(String name, String prefix) {
    return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
  }
}
