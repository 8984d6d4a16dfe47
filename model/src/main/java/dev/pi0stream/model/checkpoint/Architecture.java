package dev.pi0stream.model.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which tensors a policy of some sizes has, and their shapes. */
final class Architecture {
  private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();

  private Architecture() {}

  /**
   * The shapes by name, but for the embedding table, which has two possible names, and for {@code
   * lm_head}s, which no policy needs.
   */
  static Map<String, List<Integer>> shapes(PolicyConfig config, Dimensions dimensions) {
    Architecture architecture = new Architecture();
    architecture.vision(dimensions.vision());
    architecture.linear(
        TensorNames.PROJECTOR, dimensions.language().width(), dimensions.vision().width());
    architecture.stack(TensorNames.LANGUAGE, dimensions.language(), false);
    architecture.stack(TensorNames.EXPERT, dimensions.expert(), config.type() == PolicyType.PI05);
    architecture.suffix(config, dimensions.expert().width());
    return architecture.shapes;
  }

  /** Whether no chunk depends on a tensor, though every checkpoint has it. */
  static boolean isUnused(String name, Dimensions dimensions) {
    String last = TensorNames.LANGUAGE + "layers." + (dimensions.language().layers() - 1) + ".";
    return name.equals(TensorNames.LANGUAGE + "norm.weight")
        // Of the last layer of the prefix only keys and values are attended.
        || (name.startsWith(last)
            && !name.equals(last + "input_layernorm.weight")
            && !name.equals(last + "self_attn.k_proj.weight")
            && !name.equals(last + "self_attn.v_proj.weight"));
  }

  private void vision(Dimensions.Vision vision) {
    int width = vision.width();
    String prefix = TensorNames.VISION;
    shapes.put(
        prefix + "embeddings.patch_embedding.weight",
        List.of(width, 3, vision.patch(), vision.patch()));
    shapes.put(prefix + "embeddings.patch_embedding.bias", List.of(width));
    shapes.put(
        prefix + "embeddings.position_embedding.weight",
        List.of(vision.grid() * vision.grid(), width));
    for (int i = 0; i < vision.layers(); i++) {
      String layer = prefix + "encoder.layers." + i + ".";
      layerNorm(layer + "layer_norm1.", width);
      for (String projection : List.of("q_proj.", "k_proj.", "v_proj.", "out_proj.")) {
        linear(layer + "self_attn." + projection, width, width);
      }
      layerNorm(layer + "layer_norm2.", width);
      linear(layer + "mlp.fc1.", vision.mlp(), width);
      linear(layer + "mlp.fc2.", width, vision.mlp());
    }
    layerNorm(prefix + "post_layernorm.", width);
  }

  private void stack(String prefix, Dimensions.Stack stack, boolean adaptive) {
    int width = stack.width();
    int query = stack.heads().queryColumns();
    int keyValue = stack.heads().keyValueColumns();
    for (int i = 0; i < stack.layers(); i++) {
      String layer = prefix + "layers." + i + ".";
      rmsNorm(layer + "input_layernorm.", width, adaptive);
      shapes.put(layer + "self_attn.q_proj.weight", List.of(query, width));
      shapes.put(layer + "self_attn.k_proj.weight", List.of(keyValue, width));
      shapes.put(layer + "self_attn.v_proj.weight", List.of(keyValue, width));
      shapes.put(layer + "self_attn.o_proj.weight", List.of(width, query));
      rmsNorm(layer + "post_attention_layernorm.", width, adaptive);
      shapes.put(layer + "mlp.gate_proj.weight", List.of(stack.mlp(), width));
      shapes.put(layer + "mlp.up_proj.weight", List.of(stack.mlp(), width));
      shapes.put(layer + "mlp.down_proj.weight", List.of(width, stack.mlp()));
    }
    rmsNorm(prefix + "norm.", width, adaptive);
  }

  private void suffix(PolicyConfig config, int width) {
    linear("action_in_proj.", width, config.maxActionDimension());
    linear("action_out_proj.", config.maxActionDimension(), width);
    switch (config.type()) {
      case PI0 -> {
        linear("state_proj.", width, config.maxStateDimension());
        linear("action_time_mlp_in.", width, 2 * width);
        linear("action_time_mlp_out.", width, width);
      }
      case PI05 -> {
        linear("time_mlp_in.", width, width);
        linear("time_mlp_out.", width, width);
      }
    }
  }

  private void linear(String prefix, int outputs, int inputs) {
    shapes.put(prefix + "weight", List.of(outputs, inputs));
    shapes.put(prefix + "bias", List.of(outputs));
  }

  private void layerNorm(String prefix, int width) {
    shapes.put(prefix + "weight", List.of(width));
    shapes.put(prefix + "bias", List.of(width));
  }

  private void rmsNorm(String prefix, int width, boolean adaptive) {
    if (adaptive) {
      linear(prefix + "dense.", 3 * width, width);
    } else {
      shapes.put(prefix + "weight", List.of(width));
    }
  }
}
