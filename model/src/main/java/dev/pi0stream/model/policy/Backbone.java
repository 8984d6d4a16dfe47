package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Embedding;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Indices;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * PaliGemma's language model as the policies use it: it reads a prefix, cameras and prompt, and all
 * that counts of it are the keys and values of every layer, which the action expert attends. So the
 * last block is only a norm and a projection to keys and values, and there is no final norm.
 */
public final class Backbone implements AutoCloseable {
  private final Device device;
  private final Dimensions.Stack stack;
  private final double ropeBase;
  private final Embedding embedding; // vocabulary × width
  private final List<GemmaBlock> blocks; // all but the last
  private final Norm lastNorm;
  private final Linear lastProjection; // width → keys, values

  private Backbone(Device device, Weights weights, Parameter table, Dimensions dimensions) {
    this.device = device;
    this.stack = dimensions.language();
    this.ropeBase = dimensions.ropeBase();
    int width = stack.width();
    float epsilon = dimensions.rmsNormEpsilon();
    this.embedding = device.embedding(table, (float) Math.sqrt(width));
    List<GemmaBlock> loaded = new ArrayList<>();
    int last = stack.layers() - 1;
    for (int i = 0; i < last; i++) {
      loaded.add(GemmaBlock.load(device, weights.in("layers." + i + "."), stack, epsilon));
    }
    this.blocks = List.copyOf(loaded);
    Weights block = weights.in("layers." + last + ".");
    this.lastNorm = GemmaBlock.rmsNorm(device, block.in("input_layernorm."), width, epsilon);
    int columns = stack.heads().keyValueColumns();
    this.lastProjection =
        device.projection(
            stack.heads().withoutQueries(),
            null,
            block.matrix("self_attn.k_proj.weight", columns, width),
            block.matrix("self_attn.v_proj.weight", columns, width),
            List.of());
  }

  /**
   * Gives the backbone's weights to a device.
   *
   * @param weights below {@code language_model.}
   * @param table the embedding table, vocabulary × width
   */
  public static Backbone load(
      Device device, Weights weights, Parameter table, Dimensions dimensions) {
    return new Backbone(device, weights, table, dimensions);
  }

  /** Columns of a prefix row. */
  public int width() {
    return stack.width();
  }

  /** Entries of the embedding table. */
  public int vocabulary() {
    return embedding.entries();
  }

  /** Embeds tokens: rows × width, multiplied by √width. */
  public Tensor embed(Indices ids) {
    return device.embed(embedding, ids);
  }

  /** How prefixes attend: each itself, its rows' positions are 0, 1, 2 …. */
  public AttentionPlan plan(Sequences prefixes) {
    int[] positions =
        IntStream.range(0, prefixes.count())
            .flatMap(i -> IntStream.range(0, prefixes.length(i)))
            .toArray();
    return AttentionPlan.own(
        device.mask(prefixes),
        device.rotation(positions, prefixes, stack.heads().size(), ropeBase));
  }

  /**
   * Reads prefixes.
   *
   * @param rows rows × width
   * @param prefixes of {@link #plan}
   * @return keys and values of every layer
   */
  public KeyValues forward(Tensor rows, AttentionPlan prefixes) {
    try (Scope scope = device.scope()) {
      KeyValues result = device.keyValues(rows.sequences(), stack.layers(), stack.heads());
      AttentionPlan plan = prefixes.storing(result);
      Tensor x = rows;
      for (int i = 0; i < blocks.size(); i++) {
        Tensor next = blocks.get(i).forward(x, plan, i, Modulation.OfBlock.NONE);
        if (i > 0) {
          x.close();
        }
        x = next;
      }
      Heads heads = stack.heads().withoutQueries();
      Tensor packed = device.linear(device.rmsNorm(x, lastNorm), lastProjection);
      plan.store(device, device.rope(packed, heads, plan.rotation()), heads, blocks.size());
      return scope.keep(result);
    }
  }

  @Override
  public void close() {
    embedding.close();
    blocks.forEach(GemmaBlock::close);
    lastNorm.close();
    lastProjection.close();
  }
}
