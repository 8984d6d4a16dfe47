package dev.pi0stream.device.tt.ttnn;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** What the operations of a capture read that was there before: a replay reads it again. */
final class Capture {
  private final Set<TtnnTensor> made = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<TtnnTensor> read = Collections.newSetFromMap(new IdentityHashMap<>());

  void made(TtnnTensor tensor) {
    made.add(tensor);
  }

  void died(TtnnTensor tensor) {
    made.remove(tensor);
  }

  /** What was made and is still there, but for the results. */
  List<TtnnTensor> living(List<TtnnTensor> results) {
    results.forEach(result -> made.remove(result.memory()));
    return List.copyOf(made);
  }

  void used(TtnnTensor tensor) {
    if (!made.contains(tensor) && read.add(tensor)) {
      tensor.pin();
    }
  }

  /** What was read, which stays allocated until it is closed by its new owner. */
  List<TtnnTensor> end() {
    return List.copyOf(read);
  }
}
