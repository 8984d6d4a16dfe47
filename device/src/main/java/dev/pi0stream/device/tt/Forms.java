package dev.pi0stream.device.tt;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.tt.TtTensor.Packed;
import dev.pi0stream.device.tt.TtTensor.Plain;
import dev.pi0stream.device.tt.TtTensor.Split;
import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.Fidelity;
import dev.pi0stream.device.tt.ttnn.Fused;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Brings tensors from one form into another. What a policy computes is in the right one: most of
 * this is for tensors that were uploaded as heads or are looked at.
 */
final class Forms {
  private final MeshDevice chip;
  private final Operations operations;
  private final Map<Selection, TtnnTensor> selections = new HashMap<>();

  /** A matrix that puts columns elsewhere: from plain ones to padded heads, or back. */
  private record Selection(PaddedHeads heads, int columns, float queryScale, boolean pads) {}

  Forms(MeshDevice chip, Operations operations) {
    this.chip = chip;
    this.operations = operations;
  }

  /** The columns one after the other: [1, 1, rows, columns]. */
  TtnnTensor plain(TtTensor x, Temporaries made) {
    return switch (x.form()) {
      case Plain(TtnnTensor matrix) -> matrix;
      case Packed packed -> plain(packed, x.columns(), made);
      case Split split -> plain(joined(split, x.blocks(), made), x.columns(), made);
    };
  }

  private TtnnTensor plain(Packed packed, int columns, Temporaries made) {
    PaddedHeads heads = packed.heads();
    if (heads.size() == heads.heads().size() && packed.queryScale() == 1) {
      return packed.matrix();
    }
    TtnnTensor selection = selection(new Selection(heads, columns, packed.queryScale(), false));
    return made.add(select(packed.matrix(), selection));
  }

  private Packed joined(Split split, Blocks blocks, Temporaries made) {
    List<TtnnTensor> parts = new ArrayList<>();
    for (TtnnTensor part : split.parts()) {
      Shape one = part.shape().with(1, 1);
      for (int head = 0; head < part.shape().get(1); head++) {
        int[] start = {0, head, 0, 0};
        parts.add(made.add(operations.slice(part, one, start, Memory.DRAM)));
      }
    }
    TtnnTensor matrix = made.add(operations.concat(parts, 3, Memory.DRAM));
    Shape flat = blocks.matrix(split.heads().columns());
    return new Packed(made.add(operations.view(matrix, flat)), split.heads(), split.queryScale());
  }

  /** The queries' columns of an attention, padded as a layer wants them. */
  TtnnTensor queries(TtTensor x, PaddedHeads wanted, Temporaries made) {
    if (x.form() instanceof Packed packed
        && packed.heads().size() == wanted.size()
        && packed.heads().heads().equals(wanted.heads())) {
      return packed.matrix();
    }
    TtnnTensor plain = cast(plain(x, made), DataType.BFLOAT16, made);
    if (wanted.size() == wanted.heads().size()) {
      return plain;
    }
    TtnnTensor selection = selection(new Selection(wanted, x.columns(), 1, true));
    return made.add(select(plain, selection));
  }

  /** The numbers in another type. */
  TtnnTensor cast(TtnnTensor x, DataType type, Temporaries made) {
    return x.type() == type ? x : made.add(operations.typecast(x, type));
  }

  /** A packed projection with heads padded to a size, as it was computed or as it was uploaded. */
  Packed packed(TtTensor x, PaddedHeads wanted, Temporaries made) {
    if (x.form() instanceof Packed packed && packed.heads().equals(wanted)) {
      return packed;
    }
    if (x.form() instanceof Split split && split.heads().equals(wanted)) {
      return joined(split, x.blocks(), made);
    }
    TtnnTensor plain = cast(plain(x, made), DataType.BFLOAT16, made);
    if (wanted.size() == wanted.heads().size()) {
      return new Packed(plain, wanted, 1);
    }
    TtnnTensor selection = selection(new Selection(wanted, x.columns(), 1, true));
    return new Packed(made.add(select(plain, selection)), wanted, 1);
  }

  /** The heads in which a tensor is, if it is, or those that it is brought into. */
  static PaddedHeads headsOf(TtTensor x, Heads heads) {
    return switch (x.form()) {
      case Packed packed when packed.heads().heads().equals(heads) -> packed.heads();
      case Split split when split.heads().heads().equals(heads) -> split.heads();
      default -> PaddedHeads.of(heads);
    };
  }

  /** Queries, keys and values; the parts are the caller's temporaries or the tensor's own. */
  Split split(TtTensor x, Heads heads, Memory memory, Temporaries made) {
    PaddedHeads padded = headsOf(x, heads);
    if (x.form() instanceof Split split && split.heads().equals(padded)) {
      return split;
    }
    return split(packed(x, padded, made), x.blocks().batch(padded.columns()), memory, made);
  }

  /**
   * Takes a packed projection apart.
   *
   * @param shape the blocks apart, or all in one
   */
  Split split(Packed packed, Shape shape, Memory memory, Temporaries made) {
    PaddedHeads padded = packed.heads();
    Heads heads = padded.heads();
    TtnnTensor batch = made.add(operations.view(packed.matrix(), shape));
    if (heads.query() == 0) {
      List<TtnnTensor> parts =
          made.addAll(operations.nlpCreateKvHeads(batch, heads.keyValue(), memory));
      return new Split(null, parts.get(0), parts.get(1), padded, packed.queryScale());
    }
    List<TtnnTensor> parts =
        made.addAll(operations.nlpCreateQkvHeads(batch, heads.query(), heads.keyValue(), memory));
    return new Split(parts.get(0), parts.get(1), parts.get(2), padded, packed.queryScale());
  }

  private TtnnTensor select(TtnnTensor x, TtnnTensor selection) {
    return operations.linear(x, selection, null, Fused.NONE, Fidelity.HIFI4, x.type(), Memory.DRAM);
  }

  private TtnnTensor selection(Selection wanted) {
    return selections.computeIfAbsent(wanted, this::upload);
  }

  private TtnnTensor upload(Selection wanted) {
    PaddedHeads heads = wanted.heads();
    boolean queriesOnly = wanted.columns() == heads.heads().queryColumns();
    int padded = queriesOnly ? heads.queryColumns() : heads.columns();
    int inputs = wanted.pads() ? wanted.columns() : padded;
    int outputs = wanted.pads() ? padded : wanted.columns();
    int scaled = queriesOnly ? 0 : heads.heads().queryColumns();
    try (WeightMatrix matrix = new WeightMatrix(inputs, outputs, List.of())) {
      for (int column = 0; column < wanted.columns(); column++) {
        float value = column < scaled ? 1 / wanted.queryScale() : 1;
        int place = heads.at(column);
        Parameter one = Parameter.of("selection", 1, 1, value);
        int input = wanted.pads() ? column : place;
        int output = wanted.pads() ? place : column;
        matrix.put(one, _ -> input, _ -> output, 1);
      }
      return matrix.upload(chip, DataType.BFLOAT16);
    }
  }
}
