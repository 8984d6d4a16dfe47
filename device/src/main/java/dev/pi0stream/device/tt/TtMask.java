package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceMask;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.HashMap;
import java.util.Map;

/**
 * What hides the padding of sequences and their contexts: for each context that it was used with,
 * and for none, an additive mask, made when it is first used and the same in every layer.
 */
final class TtMask extends DeviceMask {
  private final Map<Object, TtnnTensor> made = new HashMap<>();
  private final TtnnTensor zeros; // [1, 1, rows, 1]

  /**
   * A mask.
   *
   * @param zeros for each row of a block one; the mask's own
   */
  TtMask(Sequences sequences, Sequences context, TtnnTensor zeros) {
    super(sequences, context, 0);
    this.zeros = zeros;
  }

  /** A column of zeros, which repeats a row for every row of a block. */
  TtnnTensor zeros() {
    return zeros;
  }

  /** What was made for a context; null where nothing was. */
  TtnnTensor made(Object key) {
    return made.get(key);
  }

  void keep(Object key, TtnnTensor tensor) {
    made.put(key, tensor);
  }

  @Override
  protected void free() {
    made.values().forEach(TtnnTensor::close);
    zeros.close();
  }
}
