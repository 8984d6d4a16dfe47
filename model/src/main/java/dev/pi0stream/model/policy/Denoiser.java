package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Flow matching (Lipman et al. 2023) from noise at time 1 to actions at time 0 by Euler's method.
 * LeRobot's {@code sample_actions}: the time of a step is {@code 1 + step · dt}, in float64.
 */
final class Denoiser implements AutoCloseable {
  /** So many numbers of steps have their constants kept. */
  private static final int KEPT = 4;

  private final Device device;
  private final ActionExpert expert;
  private final Suffix suffix;
  private final Linear actionOut; // width → action columns
  private final int horizon;
  private final int columns;
  private final LinkedHashMap<Integer, List<Suffix.Step>> constants =
      new LinkedHashMap<>(16, 0.75f, true);

  private Denoiser(Device device, PolicyWeights checkpoint, ActionExpert expert, Suffix suffix) {
    this.device = device;
    this.expert = expert;
    this.suffix = suffix;
    this.horizon = checkpoint.config().chunkSize();
    this.columns = checkpoint.config().maxActionDimension();
    this.actionOut =
        device.linear(
            checkpoint.weights().matrix("action_out_proj.weight", columns, expert.width()),
            checkpoint.weights().vector("action_out_proj.bias", columns),
            Precision.FP32);
  }

  static Denoiser load(
      Device device, PolicyWeights checkpoint, ActionExpert expert, Suffix suffix) {
    return new Denoiser(device, checkpoint, expert, suffix);
  }

  /** The time of a step in float64. */
  static double time(int step, int steps) {
    return 1.0 + step * (-1.0 / steps);
  }

  /**
   * The constants of so many steps. They are kept for the next time, so this is called outside of
   * any scope, which would free them.
   */
  List<Suffix.Step> steps(int count) {
    if (count < 1) {
      throw new IllegalArgumentException(count + " denoising steps; expected at least 1");
    }
    List<Suffix.Step> steps = constants.get(count);
    if (steps == null) {
      steps = new ArrayList<>();
      for (int step = 0; step < count; step++) {
        steps.add(suffix.step((float) time(step, count)));
      }
      constants.put(count, List.copyOf(steps));
      if (constants.size() > KEPT) {
        int eldest = constants.keySet().iterator().next();
        constants.remove(eldest).forEach(Suffix.Step::close);
      }
    }
    return steps;
  }

  /**
   * A batch to denoise, given to the device.
   *
   * @param noise for each robot horizon × action columns
   * @param plan how the action rows attend
   */
  record Start(Tensor noise, AttentionPlan plan, List<Pull> pulls) {}

  /**
   * Gives a batch to the device.
   *
   * @param noise for each robot horizon × action columns
   * @param contexts the rows that each robot's action rows attend besides themselves; the actions'
   *     positions go on where these end
   * @param guidance one for each robot; null for none
   */
  Start start(float[] noise, Sequences contexts, List<Guidance> guidance) {
    Sequences sequences = Sequences.uniform(contexts.count(), horizon);
    int[] positions = new int[sequences.rows()];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = contexts.length(i / horizon) + i % horizon;
    }
    return new Start(
        device.upload(noise, sequences, columns),
        AttentionPlan.own(device.mask(sequences, contexts), expert.rotation(positions, sequences)),
        pulls(guidance, sequences));
  }

  /**
   * Denoises a batch.
   *
   * @param context what the action rows of each robot attend besides themselves
   * @return like the noise
   */
  Tensor denoise(Start start, KeyValues context, List<Suffix.Step> steps, Probe probe) {
    try (Scope scope = device.scope()) {
      AttentionPlan plan = start.plan.attending(context);
      float dt = (float) (-1.0 / steps.size());
      Tensor x = start.noise;
      probe.see("x.step0", Probe.ALL_ROWS, x);
      for (int k = 0; k < steps.size(); k++) {
        try (Scope step = device.scope()) {
          Tensor v = velocity(x, plan, steps.get(k), k, probe);
          for (Pull pull : start.pulls) {
            double time = time(k, steps.size());
            float weight = Guidance.weight(time, pull.maxWeight);
            v = device.guide(v, x, pull.previous, pull.weights, (float) time, weight);
          }
          probe.see("v.step" + k, Probe.ALL_ROWS, v);
          Tensor next = step.keep(device.axpy(x, dt, v));
          if (k > 0) {
            x.close();
          }
          x = next;
        }
        probe.see("x.step" + (k + 1), Probe.ALL_ROWS, x);
      }
      return scope.keep(x);
    }
  }

  private Tensor velocity(Tensor x, AttentionPlan plan, Suffix.Step constants, int k, Probe probe) {
    constants.show(probe, k);
    Tensor embedded = constants.embed(x);
    probe.see("suffix.embs.step" + k, Probe.ALL_ROWS, embedded);
    Tensor out =
        expert.forward(
            embedded,
            plan,
            constants.modulation(),
            (layer, rows) -> probe.see("expert.layer" + layer + ".step" + k, Probe.ALL_ROWS, rows));
    probe.see("suffix.out.step" + k, Probe.ALL_ROWS, out);
    Tensor v = device.linear(out, actionOut);
    probe.see("v.model.step" + k, Probe.ALL_ROWS, v);
    return v;
  }

  /**
   * Real-time chunking for the robots that share one upper bound of the guidance weight. All others
   * have the weight 0, which leaves their velocity as it is.
   *
   * @param previous for each robot horizon × action columns
   * @param weights for each robot horizon × 1
   */
  record Pull(float maxWeight, Tensor previous, Tensor weights) {}

  private List<Pull> pulls(List<Guidance> guidance, Sequences sequences) {
    Map<Float, List<Integer>> robots = new TreeMap<>();
    for (int i = 0; i < guidance.size(); i++) {
      if (guidance.get(i) != null) {
        robots.computeIfAbsent(guidance.get(i).maxWeight(), _ -> new ArrayList<>()).add(i);
      }
    }
    List<Pull> pulls = new ArrayList<>();
    int rows = sequences.rows();
    robots.forEach(
        (maxWeight, members) -> {
          float[] previous = new float[rows * columns];
          float[] weights = new float[rows];
          for (int i : members) {
            float[] own = guidance.get(i).weights(horizon);
            System.arraycopy(own, 0, weights, i * horizon, horizon);
            float[] leftover = guidance.get(i).padded(horizon, columns);
            System.arraycopy(leftover, 0, previous, i * horizon * columns, leftover.length);
          }
          pulls.add(
              new Pull(
                  maxWeight,
                  device.upload(previous, sequences, columns),
                  device.upload(weights, sequences, 1)));
        });
    return pulls;
  }

  @Override
  public void close() {
    actionOut.close();
    constants.values().forEach(steps -> steps.forEach(Suffix.Step::close));
    constants.clear();
  }
}
