package dev.pi0stream.model.policy;

import dev.pi0stream.device.Activation;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Resource;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * π0.5: action rows alone; the state is in the prompt, and the time, through an MLP, is the
 * condition of the expert's adaptive norms. openpi's {@code Pi0.embed_suffix} with {@code pi05}.
 */
public final class Pi05Suffix implements Suffix {
  private final Device device;
  private final TimeEmbedding timeEmbedding;
  private final Linear actionProjection; // action columns → width
  private final Linear mlpIn; // width → width
  private final Linear mlpOut; // width → width
  private final List<BlockModulators> blocks;
  private final Modulator norm;

  /** The two adaptive norms of a block. */
  private record BlockModulators(Modulator attention, Modulator mlp) {}

  private Pi05Suffix(
      Device device, Weights weights, Weights expert, PolicyConfig config, int width, int layers) {
    this.device = device;
    this.timeEmbedding = new TimeEmbedding(width, config.minPeriod(), config.maxPeriod());
    this.actionProjection =
        device.linear(
            weights.matrix("action_in_proj.weight", width, config.maxActionDimension()),
            weights.vector("action_in_proj.bias", width),
            Precision.FP32);
    this.mlpIn =
        device.linear(
            weights.matrix("time_mlp_in.weight", width, width),
            weights.vector("time_mlp_in.bias", width),
            Precision.FP32);
    this.mlpOut =
        device.linear(
            weights.matrix("time_mlp_out.weight", width, width),
            weights.vector("time_mlp_out.bias", width),
            Precision.FP32);
    List<BlockModulators> loaded = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      Weights layer = expert.in("layers." + i + ".");
      loaded.add(
          new BlockModulators(
              Modulator.load(device, layer.in("input_layernorm.dense."), width, width),
              Modulator.load(device, layer.in("post_attention_layernorm.dense."), width, width)));
    }
    this.blocks = List.copyOf(loaded);
    this.norm = Modulator.load(device, expert.in("norm.dense."), width, width);
  }

  static Pi05Suffix load(Device device, PolicyWeights checkpoint) {
    return new Pi05Suffix(
        device,
        checkpoint.weights(),
        checkpoint.expert(),
        checkpoint.config(),
        checkpoint.dimensions().expert().width(),
        checkpoint.dimensions().expert().layers());
  }

  @Override
  public int leadingRows() {
    return 0;
  }

  @Override
  public int stateColumns() {
    return 0;
  }

  @Override
  public Optional<Leading> leading(Sequences prefixes, List<float[]> states, ActionExpert expert) {
    return Optional.empty();
  }

  @Override
  public KeyValues context(
      List<Device.Part> prefixes, Optional<Leading> leading, ActionExpert expert, Probe probe) {
    return Suffix.gather(device, prefixes);
  }

  @Override
  public Conditioned step(float time) {
    Tensor embedded = device.upload(timeEmbedding.at(time), 1, timeEmbedding.width());
    Tensor condition;
    try (Tensor hidden = device.linear(embedded, mlpIn, Epilogue.activation(Activation.SILU))) {
      condition = device.linear(hidden, mlpOut, Epilogue.activation(Activation.SILU));
    }
    List<Modulation.OfBlock> modulations = new ArrayList<>();
    for (BlockModulators block : blocks) {
      modulations.add(
          new Modulation.OfBlock(
              block.attention.modulation(condition), block.mlp.modulation(condition)));
    }
    return new Conditioned(
        this,
        time,
        embedded,
        condition,
        new Modulation.OfStack(modulations, norm.modulation(condition)));
  }

  /**
   * A step.
   *
   * @param embedding of the time: 1 × width
   * @param condition of the adaptive norms: 1 × width
   */
  record Conditioned(
      Pi05Suffix suffix,
      float time,
      Tensor embedding,
      Tensor condition,
      Modulation.OfStack modulation)
      implements Step {
    @Override
    public Tensor embed(Tensor actions) {
      return suffix.device.linear(actions, suffix.actionProjection);
    }

    @Override
    public void show(Probe probe, int step) {
      probe.see("time_emb.step" + step, Probe.ALL_ROWS, embedding);
      probe.see("adarms_cond.step" + step, Probe.ALL_ROWS, condition);
    }

    @Override
    public void close() {
      embedding.close();
      condition.close();
      Stream.concat(
              modulation.blocks().stream()
                  .flatMap(block -> Stream.of(block.attention(), block.mlp())),
              Stream.of(modulation.last()))
          .flatMap(Conditioned::tensors)
          .forEach(Resource::close);
    }

    private static Stream<Tensor> tensors(Modulation modulation) {
      return switch (modulation) {
        case Modulation.None _ -> Stream.of();
        case Modulation.Adaptive(Tensor scale, Tensor shift, Tensor gate) ->
            Stream.of(scale, shift, gate);
      };
    }
  }

  @Override
  public void close() {
    actionProjection.close();
    mlpIn.close();
    mlpOut.close();
    for (BlockModulators block : blocks) {
      block.attention.close();
      block.mlp.close();
    }
    norm.close();
  }
}
