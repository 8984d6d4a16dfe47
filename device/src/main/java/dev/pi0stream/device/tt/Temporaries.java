package dev.pi0stream.device.tt;

import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.List;

/** Tensors between the operations that make one result; freed with it, also where one fails. */
final class Temporaries implements AutoCloseable {
  private final List<TtnnTensor> tensors = new ArrayList<>();

  /** Owns a tensor from now on. */
  TtnnTensor add(TtnnTensor tensor) {
    tensors.add(tensor);
    return tensor;
  }

  /** Owns tensors from now on. */
  List<TtnnTensor> addAll(List<TtnnTensor> made) {
    tensors.addAll(made);
    return made;
  }

  /** Gives a tensor to the caller, as one more owner of it. */
  TtnnTensor keep(TtnnTensor tensor) {
    return tensor.share();
  }

  @Override
  public void close() {
    for (int i = tensors.size() - 1; i >= 0; i--) {
      tensors.get(i).close();
    }
  }
}
