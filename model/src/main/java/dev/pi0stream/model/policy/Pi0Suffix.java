package dev.pi0stream.model.policy;

import dev.pi0stream.device.Activation;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * π0: a state row, which attends the prefix and itself, then the action rows, into which the time
 * is mixed by an MLP. openpi's {@code Pi0.embed_suffix}.
 *
 * <p>The state row sees no action, so its keys and values are the same in every step: it goes
 * through the expert once and then belongs to the context. {@code W_in} of the MLP is linear in
 * {@code [action ‖ time]}, so the time's share is one row for each step.
 */
public final class Pi0Suffix implements Suffix {
  private final Device device;
  private final int stateColumns;
  private final Modulation.OfStack modulation;
  private final TimeEmbedding timeEmbedding;
  private final Linear stateProjection; // state columns → width
  private final Linear actionProjection; // action columns → width
  private final Linear actionShare; // width → width
  private final Linear timeShare; // width → width
  private final Linear mlpOut; // width → width

  private Pi0Suffix(Device device, Weights weights, PolicyConfig config, int width, int layers) {
    this.device = device;
    this.stateColumns = config.maxStateDimension();
    this.modulation = Modulation.OfStack.none(layers);
    this.timeEmbedding = new TimeEmbedding(width, config.minPeriod(), config.maxPeriod());
    this.stateProjection =
        device.linear(
            weights.matrix("state_proj.weight", width, stateColumns),
            weights.vector("state_proj.bias", width),
            Precision.FP32);
    this.actionProjection =
        device.linear(
            weights.matrix("action_in_proj.weight", width, config.maxActionDimension()),
            weights.vector("action_in_proj.bias", width),
            Precision.FP32);
    Parameter mlpIn = weights.matrix("action_time_mlp_in.weight", width, 2 * width);
    this.actionShare = device.linear(mlpIn.columns(0, width), null, Precision.FP32);
    this.timeShare =
        device.linear(
            mlpIn.columns(width, 2 * width),
            weights.vector("action_time_mlp_in.bias", width),
            Precision.FP32);
    this.mlpOut =
        device.linear(
            weights.matrix("action_time_mlp_out.weight", width, width),
            weights.vector("action_time_mlp_out.bias", width),
            Precision.FP32);
  }

  static Pi0Suffix load(Device device, PolicyWeights checkpoint) {
    return new Pi0Suffix(
        device,
        checkpoint.weights(),
        checkpoint.config(),
        checkpoint.dimensions().expert().width(),
        checkpoint.dimensions().expert().layers());
  }

  @Override
  public int leadingRows() {
    return 1;
  }

  @Override
  public int stateColumns() {
    return stateColumns;
  }

  /** Embeds padded states, rows × state columns: rows × width. */
  public Tensor embedStates(Tensor states) {
    return device.linear(states, stateProjection);
  }

  @Override
  public Optional<Leading> leading(Sequences prefixes, List<float[]> states, ActionExpert expert) {
    int robots = prefixes.count();
    float[] values = new float[robots * stateColumns];
    for (int i = 0; i < robots; i++) {
      System.arraycopy(states.get(i), 0, values, i * stateColumns, stateColumns);
    }
    Sequences single = Sequences.uniform(robots, 1);
    int[] positions = IntStream.range(0, robots).map(prefixes::length).toArray();
    return Optional.of(
        new Leading(
            device.upload(values, single, stateColumns),
            AttentionPlan.own(device.mask(single, prefixes), expert.rotation(positions, single))));
  }

  @Override
  public KeyValues context(
      List<Device.Part> prefixes, Optional<Leading> leading, ActionExpert expert, Probe probe) {
    Leading state = leading.orElseThrow();
    try (Scope scope = device.scope()) {
      int robots = prefixes.size();
      KeyValues prefix = Suffix.gather(device, prefixes);
      Tensor rows = embedStates(state.values());
      probe.see("suffix.state", Probe.ALL_ROWS, rows);
      KeyValues own = expert.keyValues(rows.sequences());
      Tensor out =
          expert.forward(
              rows,
              state.plan().attending(prefix).storing(own),
              modulation,
              (layer, x) -> probe.see("expert.state.layer" + layer, Probe.ALL_ROWS, x));
      probe.see("expert.state.out", Probe.ALL_ROWS, out);
      List<List<Device.Part>> joined = new ArrayList<>();
      for (int i = 0; i < robots; i++) {
        joined.add(List.of(new Device.Part(prefix, i), new Device.Part(own, i)));
      }
      return scope.keep(device.join(joined));
    }
  }

  @Override
  public TimeMixed step(float time) {
    Tensor embedded = device.upload(timeEmbedding.at(time), 1, timeEmbedding.width());
    return new TimeMixed(this, time, embedded, device.linear(embedded, timeShare));
  }

  /**
   * A step.
   *
   * @param embedding of the time: 1 × width
   * @param share of the time in the MLP's first layer, with its bias: 1 × width
   */
  record TimeMixed(Pi0Suffix suffix, float time, Tensor embedding, Tensor share) implements Step {
    @Override
    public Tensor embed(Tensor actions) {
      Device device = suffix.device;
      Tensor embedded = device.linear(actions, suffix.actionProjection);
      Tensor hidden =
          device.linear(embedded, suffix.actionShare, Epilogue.shifted(share, Activation.SILU));
      return device.linear(hidden, suffix.mlpOut);
    }

    @Override
    public Modulation.OfStack modulation() {
      return suffix.modulation;
    }

    @Override
    public void show(Probe probe, int step) {
      probe.see("time_emb.step" + step, Probe.ALL_ROWS, embedding);
    }

    @Override
    public void close() {
      embedding.close();
      share.close();
    }
  }

  @Override
  public void close() {
    stateProjection.close();
    actionProjection.close();
    actionShare.close();
    timeShare.close();
    mlpOut.close();
  }
}
