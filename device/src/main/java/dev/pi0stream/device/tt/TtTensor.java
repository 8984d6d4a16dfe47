package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceTensor;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A matrix whose rows lie in {@link Blocks}. */
final class TtTensor extends DeviceTensor {
  private final Map<Object, TtnnTensor> derived = new HashMap<>();
  private Form form; // null for an input of a stage that has not run

  /** How the numbers lie on the device. */
  sealed interface Form {
    /** What holds them. */
    List<TtnnTensor> parts();
  }

  /**
   * Column after column.
   *
   * @param matrix [1, 1, rows of all blocks, columns]
   */
  record Plain(TtnnTensor matrix) implements Form {
    @Override
    public List<TtnnTensor> parts() {
      return List.of(matrix);
    }
  }

  /**
   * Heads padded, in the columns of a packed projection or of its queries.
   *
   * @param matrix [1, 1, rows of all blocks, padded columns]
   * @param queryScale what queries were multiplied by
   */
  record Packed(TtnnTensor matrix, PaddedHeads heads, float queryScale) implements Form {
    @Override
    public List<TtnnTensor> parts() {
      return List.of(matrix);
    }
  }

  /**
   * A packed projection taken apart.
   *
   * @param queries [blocks, heads, rows, size], or null
   * @param keys [blocks, key/value heads, rows, size]
   * @param values like the keys
   * @param queryScale what queries were multiplied by
   */
  record Split(
      TtnnTensor queries, TtnnTensor keys, TtnnTensor values, PaddedHeads heads, float queryScale)
      implements Form {
    @Override
    public List<TtnnTensor> parts() {
      return Stream.of(queries, keys, values).filter(part -> part != null).toList();
    }
  }

  /** A tensor; {@code form} is its own. */
  TtTensor(Sequences sequences, int columns, Form form) {
    super(sequences, columns, form.parts().stream().mapToLong(TtnnTensor::bytes).sum());
    this.form = form;
  }

  /** An input of a stage that has still to run. */
  TtTensor(Sequences sequences, int columns, long bytes) {
    super(sequences, columns, bytes);
  }

  Blocks blocks() {
    return Blocks.of(sequences());
  }

  Form form() {
    return Inputs.bound(form);
  }

  /** Gives the input its place on the device, which is the tensor's own from now on. */
  void bind(TtnnTensor matrix) {
    form = new Plain(matrix);
  }

  /**
   * What is computed of this tensor alone and kept with it: constants are used again and again.
   *
   * @param key what it is
   * @param compute computes it where it is not there yet; it becomes this tensor's
   */
  TtnnTensor derive(Object key, Supplier<TtnnTensor> compute) {
    TtnnTensor known = derived.get(key);
    if (known == null) {
      known = compute.get();
      derived.put(key, known);
    }
    return known;
  }

  @Override
  protected void free() {
    derived.values().forEach(TtnnTensor::close);
    if (form != null) {
      form.parts().forEach(TtnnTensor::close);
    }
  }
}
