package dev.pi0stream.device.tt;

import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;

/**
 * Sums and products of what has few rows with what has many. Rows that a policy uses in every step
 * (shifts, gates, adaptive factors) are brought into their form once and kept with their tensor.
 */
final class Elementwise {
  private static final int[] START = new int[4];

  private final Operations operations;
  private final Forms forms;

  Elementwise(Operations operations, Forms forms) {
    this.operations = operations;
    this.forms = forms;
  }

  /** What is kept of a row for a layer. */
  private record For(Object use, String what) {}

  /** A tensor of one row as [1, 1, 1, columns] of bfloat16; the tensor's own. */
  TtnnTensor row(TtTensor tensor) {
    return tensor.derive(
        "row",
        () -> {
          try (Temporaries made = new Temporaries()) {
            TtnnTensor row = exactRow(tensor, made);
            return made.keep(forms.cast(row, DataType.BFLOAT16, made));
          }
        });
  }

  private TtnnTensor exactRow(TtTensor tensor, Temporaries made) {
    TtnnTensor matrix = forms.plain(tensor, made);
    Shape one = Shape.of(1, 1, 1, tensor.columns());
    return made.add(operations.slice(matrix, one, START, Memory.DRAM));
  }

  /** {@code (1 + scale) ⊙ weight}, weight null for 1; the scale's own. */
  TtnnTensor factor(TtTensor scale, TtnnTensor weight) {
    return scale.derive(
        new For(weight, "factor"),
        () -> {
          try (Temporaries made = new Temporaries()) {
            TtnnTensor sum = made.add(operations.add(exactRow(scale, made), 1f, Memory.DRAM));
            return weight == null ? made.keep(sum) : operations.multiply(sum, weight, Memory.DRAM);
          }
        });
  }

  /** A layer's bias with a shift, which may be null; the layer's own or the shift's. */
  TtnnTensor bias(TtLinear layer, TtTensor shift) {
    TtnnTensor bias = layer.matrix().bias();
    if (shift == null) {
      return bias;
    }
    if (bias == null && layer.outputHeads() == null) {
      return row(shift);
    }
    return shift.derive(
        new For(layer, "bias"),
        () -> {
          try (Temporaries made = new Temporaries()) {
            TtnnTensor row =
                layer.outputHeads() == null
                    ? row(shift)
                    : first(forms.packed(shift, layer.outputHeads(), made).matrix(), made);
            return bias == null ? made.keep(row) : operations.add(row, bias, Memory.DRAM);
          }
        });
  }

  private TtnnTensor first(TtnnTensor matrix, Temporaries made) {
    return made.add(operations.slice(matrix, matrix.shape().with(-2, 1), START, Memory.DRAM));
  }

  /**
   * {@code residual + gate ⊙ product}.
   *
   * @param residual null for none
   * @param gate null for none
   * @param heads the heads that the product's columns are; null where they are none
   */
  TtnnTensor added(
      TtnnTensor product,
      TtTensor residual,
      TtTensor gate,
      PaddedHeads heads,
      Memory memory,
      Temporaries made) {
    if (residual == null && gate == null) {
      return product;
    }
    TtnnTensor by = gate == null ? null : gate(gate, heads, made);
    if (residual == null) {
      return made.add(operations.multiply(product, by, memory));
    }
    TtnnTensor base =
        heads == null ? forms.plain(residual, made) : forms.packed(residual, heads, made).matrix();
    TtnnTensor same = forms.cast(base, DataType.BFLOAT16, made);
    return made.add(
        by == null
            ? operations.add(same, product, memory)
            : operations.addcmul(same, product, by, memory));
  }

  private TtnnTensor gate(TtTensor gate, PaddedHeads heads, Temporaries made) {
    return heads == null ? row(gate) : first(forms.packed(gate, heads, made).matrix(), made);
  }

  /** {@code x + y}, where y has the same rows, or those of one sequence, or one. */
  TtnnTensor add(TtTensor x, TtTensor y, Memory memory) {
    try (Temporaries made = new Temporaries()) {
      TtnnTensor rows = forms.plain(x, made);
      if (y.sequences().equals(x.sequences())) {
        return operations.add(rows, forms.plain(y, made), memory);
      }
      if (y.rows() == 1) {
        return operations.add(rows, exactRow(y, made), memory);
      }
      Blocks blocks = x.blocks();
      TtnnTensor apart = made.add(operations.view(rows, blocks.batch(x.columns())));
      TtnnTensor sum = made.add(operations.add(apart, forms.plain(y, made), memory));
      return operations.view(sum, blocks.matrix(x.columns()));
    }
  }
}
