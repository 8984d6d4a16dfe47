package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.List;

/**
 * A block of a Gemma stack (Gemma Team 2024): multi-query or grouped attention with rotary
 * positions, and a GeGLU, each behind an RMSNorm and with a residual. transformers' {@code
 * GemmaDecoderLayer}; with adaptive norms openpi's {@code gemma_300m} of π0.5.
 */
public final class GemmaBlock implements AutoCloseable {
  private final Device device;
  private final Heads heads;
  private final Norm inputNorm;
  private final Linear projection; // width → queries, keys, values
  private final Linear out; // query heads → width
  private final Norm postAttentionNorm;
  private final GatedLinear gateAndUp; // width → mlp
  private final Linear down; // mlp → width

  private GemmaBlock(Device device, Weights weights, Dimensions.Stack stack, float epsilon) {
    int width = stack.width();
    this.device = device;
    this.heads = stack.heads();
    this.inputNorm = rmsNorm(device, weights.in("input_layernorm."), width, epsilon);
    Weights attention = weights.in("self_attn.");
    this.projection =
        device.projection(
            heads,
            attention.matrix("q_proj.weight", heads.queryColumns(), width),
            attention.matrix("k_proj.weight", heads.keyValueColumns(), width),
            attention.matrix("v_proj.weight", heads.keyValueColumns(), width),
            List.of());
    this.out =
        device.merge(heads, attention.matrix("o_proj.weight", width, heads.queryColumns()), null);
    this.postAttentionNorm =
        rmsNorm(device, weights.in("post_attention_layernorm."), width, epsilon);
    Weights mlp = weights.in("mlp.");
    this.gateAndUp =
        device.gatedLinear(
            mlp.matrix("gate_proj.weight", stack.mlp(), width),
            mlp.matrix("up_proj.weight", stack.mlp(), width));
    this.down = device.linear(mlp.matrix("down_proj.weight", width, stack.mlp()), null);
  }

  /**
   * Gives a block's weights to a device.
   *
   * @param weights below {@code layers.<i>.}
   */
  public static GemmaBlock load(
      Device device, Weights weights, Dimensions.Stack stack, float epsilon) {
    return new GemmaBlock(device, weights, stack, epsilon);
  }

  /** A norm; an adaptive one has no weight of its own, its factor comes from the condition. */
  static Norm rmsNorm(Device device, Weights weights, int width, float epsilon) {
    boolean adaptive = weights.has("dense.weight");
    return device.rmsNorm(adaptive ? null : weights.vector("weight", width), width, epsilon);
  }

  /** The norm before the attention. */
  public Tensor inputNorm(Tensor x, Modulation.OfBlock modulation) {
    return modulation.attention().normalize(device, x, inputNorm);
  }

  /** The attention of what {@link #inputNorm} gave, without gate and residual. */
  public Tensor selfAttention(Tensor normed, AttentionPlan plan, int layer) {
    return selfAttention(normed, plan, layer, Epilogue.NONE);
  }

  private Tensor selfAttention(Tensor normed, AttentionPlan plan, int layer, Epilogue epilogue) {
    Tensor packed = device.rope(device.linear(normed, projection), heads, plan.rotation());
    plan.store(device, packed, heads, layer);
    return device.linear(plan.attend(device, packed, heads, layer), out, epilogue);
  }

  /** The first half of the block: the attention with its norm and residual. */
  public Tensor attentionHalf(
      Tensor x, AttentionPlan plan, int layer, Modulation.OfBlock modulation) {
    return selfAttention(inputNorm(x, modulation), plan, layer, modulation.attention().residual(x));
  }

  /** The norm before the MLP. */
  public Tensor postAttentionNorm(Tensor x, Modulation.OfBlock modulation) {
    return modulation.mlp().normalize(device, x, postAttentionNorm);
  }

  /** The MLP of what {@link #postAttentionNorm} gave, without gate and residual. */
  public Tensor mlp(Tensor normed) {
    return mlp(normed, Epilogue.NONE);
  }

  private Tensor mlp(Tensor normed, Epilogue epilogue) {
    return device.linear(device.gatedLinear(normed, gateAndUp), down, epilogue);
  }

  /** The second half of the block: the MLP with its norm and residual. */
  public Tensor mlpHalf(Tensor x, Modulation.OfBlock modulation) {
    return mlp(postAttentionNorm(x, modulation), modulation.mlp().residual(x));
  }

  /**
   * The whole block.
   *
   * @param x rows × width, packed as the plan's sequences
   * @param layer which layer of the plan's keys and values is this block's
   */
  public Tensor forward(Tensor x, AttentionPlan plan, int layer, Modulation.OfBlock modulation) {
    try (Scope scope = device.scope()) {
      return scope.keep(mlpHalf(attentionHalf(x, plan, layer, modulation), modulation));
    }
  }

  @Override
  public void close() {
    inputNorm.close();
    projection.close();
    out.close();
    postAttentionNorm.close();
    gateAndUp.close();
    down.close();
  }
}
