package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.HashMap;
import java.util.Map;

/**
 * What hides the padding of sequences and their contexts: for each context that it was used with,
 * and for none, an additive mask, made when it is first used and the same in every layer.
 */
final class TtMask extends DeviceResource implements Mask {
  private final Sequences sequences;
  private final Sequences context;
  private final Map<Object, TtnnTensor> made = new HashMap<>();
  private TtnnTensor zeros; // [1, 1, rows, 1]

  TtMask(Sequences sequences, Sequences context) {
    super(0);
    this.sequences = sequences;
    this.context = context;
  }

  @Override
  public Sequences sequences() {
    return sequences;
  }

  @Override
  public Sequences context() {
    return context;
  }

  /** A column of zeros, which repeats a row for every row of a block. */
  void bindZeros(TtnnTensor column) {
    zeros = column;
  }

  TtnnTensor zeros() {
    return Inputs.bound(zeros);
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
    if (zeros != null) {
      zeros.close();
    }
  }
}
