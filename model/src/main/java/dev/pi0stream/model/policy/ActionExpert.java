package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.ArrayList;
import java.util.List;

/**
 * The second, narrower Gemma stack, which reads the rows of the suffix. Its heads are as wide as
 * the backbone's, so that layer by layer it attends the prefix's keys and values beside its own.
 */
public final class ActionExpert implements AutoCloseable {
  private final Device device;
  private final Dimensions.Stack stack;
  private final double ropeBase;
  private final List<GemmaBlock> blocks;
  private final Norm norm;

  private ActionExpert(Device device, Weights weights, Dimensions dimensions) {
    this.device = device;
    this.stack = dimensions.expert();
    this.ropeBase = dimensions.ropeBase();
    float epsilon = dimensions.rmsNormEpsilon();
    List<GemmaBlock> loaded = new ArrayList<>();
    for (int i = 0; i < stack.layers(); i++) {
      loaded.add(GemmaBlock.load(device, weights.in("layers." + i + "."), stack, epsilon));
    }
    this.blocks = List.copyOf(loaded);
    this.norm = GemmaBlock.rmsNorm(device, weights.in("norm."), stack.width(), epsilon);
  }

  /**
   * Gives the expert's weights to a device.
   *
   * @param weights below {@code gemma_expert.model.}
   */
  public static ActionExpert load(Device device, Weights weights, Dimensions dimensions) {
    return new ActionExpert(device, weights, dimensions);
  }

  /** Columns of a suffix row. */
  public int width() {
    return stack.width();
  }

  /** The number of blocks. */
  public int layers() {
    return stack.layers();
  }

  /** Room for the keys and values of suffix rows. */
  KeyValues keyValues(Sequences sequences) {
    return device.keyValues(sequences, stack.layers(), stack.heads());
  }

  /** Rotations for rows at these positions. */
  Rotation rotation(int[] positions, Sequences sequences) {
    return device.rotation(positions, sequences, stack.heads().size(), ropeBase);
  }

  /**
   * Sees the rows behind each block.
   *
   * @see Probe
   */
  @FunctionalInterface
  interface LayerProbe {
    void see(int layer, Tensor rows);
  }

  /**
   * Rows through all blocks and the final norm.
   *
   * @param x rows × width, packed as the plan's sequences
   */
  Tensor forward(Tensor x, AttentionPlan plan, Modulation.OfStack modulation, LayerProbe probe) {
    try (Scope scope = device.scope()) {
      Tensor rows = x;
      for (int i = 0; i < blocks.size(); i++) {
        rows = blocks.get(i).forward(rows, plan, i, modulation.blocks().get(i));
        probe.see(i, rows);
      }
      return scope.keep(modulation.last().normalize(device, rows, norm));
    }
  }

  @Override
  public void close() {
    blocks.forEach(GemmaBlock::close);
    norm.close();
  }
}
