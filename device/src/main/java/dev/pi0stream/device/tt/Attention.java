package dev.pi0stream.device.tt;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.TtTensor.Packed;
import dev.pi0stream.device.tt.TtTensor.Split;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.List;

/** Rotates heads, and lets rows attend. */
final class Attention {
  /** Stands for "no context" where what was made for a context is looked up. */
  private static final Object NO_CONTEXT = new Object();

  private final Operations operations;
  private final Forms forms;

  Attention(Operations operations, Forms forms) {
    this.operations = operations;
    this.forms = forms;
  }

  /** Queries, keys and values with queries and keys rotated; the caller owns the parts. */
  Split rope(TtTensor x, Heads heads, TtRotation rotation, Memory memory) {
    try (Temporaries made = new Temporaries()) {
      PaddedHeads padded = Forms.headsOf(x, heads);
      if (padded.size() != rotation.paddedSize()) {
        padded = PaddedHeads.rotated(heads);
      }
      Packed packed = forms.packed(x, padded, made);
      Blocks blocks = x.blocks();
      int columns = padded.columns();
      Shape shape = rotation.isShared() ? blocks.batch(columns) : blocks.matrix(columns);
      Split split = forms.split(packed, shape, memory, made);
      TtnnTensor queries =
          split.queries() == null ? null : rotate(split.queries(), rotation, memory, made);
      TtnnTensor keys = rotate(split.keys(), rotation, memory, made);
      return new Split(
          queries == null ? null : made.keep(apart(queries, blocks, memory, made)),
          made.keep(apart(keys, blocks, memory, made)),
          made.keep(apart(split.values(), blocks, memory, made)),
          padded,
          split.queryScale());
    }
  }

  private TtnnTensor rotate(
      TtnnTensor heads, TtRotation rotation, Memory memory, Temporaries made) {
    return made.add(
        operations.rotaryEmbedding(heads, rotation.cosines(), rotation.sines(), memory));
  }

  /** [blocks, heads, rows, size], also where all blocks are behind each other. */
  private TtnnTensor apart(TtnnTensor x, Blocks blocks, Memory memory, Temporaries made) {
    Shape shape = x.shape();
    if (shape.get(0) == blocks.count()) {
      return x;
    }
    int heads = shape.get(1);
    int size = shape.get(3);
    if (heads == 1) {
      return made.add(operations.view(x, Shape.of(blocks.count(), 1, blocks.rows(), size)));
    }
    TtnnTensor view =
        made.add(operations.view(x, Shape.of(heads, blocks.count(), blocks.rows(), size)));
    return made.add(operations.transpose(view, memory));
  }

  /**
   * What rows attend: [1, 1, rows, padded query columns], the caller's.
   *
   * @param context null for none
   */
  Packed attend(
      TtTensor x,
      Heads heads,
      TtMask mask,
      TtKeyValues context,
      int layer,
      Inputs inputs,
      Memory memory) {
    try (Temporaries made = new Temporaries()) {
      Split own = forms.split(x, heads, memory, made);
      List<Segment> segments = context == null ? List.of() : occupied(context);
      List<TtnnTensor> keys = new ArrayList<>();
      List<TtnnTensor> values = new ArrayList<>();
      for (Segment segment : segments) {
        keys.add(segment.keys(layer, operations));
        values.add(segment.values(layer, operations));
      }
      keys.add(own.keys());
      values.add(own.values());
      TtnnTensor additive = additive(mask, context, segments, x.blocks(), inputs);
      TtnnTensor attended =
          made.add(
              operations.scaledDotProductAttention(
                  own.queries(),
                  behindEachOther(keys, memory, made),
                  behindEachOther(values, memory, made),
                  additive,
                  own.heads().scale() / own.queryScale(),
                  memory));
      Shape flat = x.blocks().matrix(own.heads().queryColumns());
      return new Packed(operations.view(attended, flat), own.heads(), 1);
    }
  }

  private static List<Segment> occupied(TtKeyValues context) {
    return context.segments().stream().filter(segment -> segment.sequences().rows() > 0).toList();
  }

  private TtnnTensor behindEachOther(List<TtnnTensor> parts, Memory memory, Temporaries made) {
    return parts.size() == 1 ? parts.getFirst() : made.add(operations.concat(parts, 2, memory));
  }

  /** What hides padding, made once; null where there is none. */
  private TtnnTensor additive(
      TtMask mask, TtKeyValues context, List<Segment> segments, Blocks own, Inputs inputs) {
    boolean full = isFull(own.rows(), mask.sequences());
    for (Segment segment : segments) {
      full &= isFull(segment.rows(), segment.sequences());
    }
    if (full) {
      return null;
    }
    Object key = context == null ? NO_CONTEXT : context;
    TtnnTensor known = mask.made(key);
    if (known == null) {
      known = makeAdditive(mask, segments, own, inputs);
      mask.keep(key, known);
    }
    return known;
  }

  private TtnnTensor makeAdditive(TtMask mask, List<Segment> segments, Blocks own, Inputs inputs) {
    try (Temporaries made = new Temporaries()) {
      List<TtnnTensor> rows = new ArrayList<>();
      for (Segment segment : segments) {
        rows.add(made.add(inputs.hidden(segment.sequences(), segment.rows())));
      }
      rows.add(made.add(inputs.hidden(mask.sequences(), own.rows())));
      TtnnTensor row =
          rows.size() == 1 ? rows.getFirst() : made.add(operations.concat(rows, 3, Memory.DRAM));
      return operations.add(row, mask.zeros(), Memory.DRAM);
    }
  }

  /** Whether blocks of so many rows have no padding. */
  static boolean isFull(int rows, Sequences sequences) {
    return sequences.count() > 0 && Blocks.lengths(sequences).allMatch(length -> length == rows);
  }
}
