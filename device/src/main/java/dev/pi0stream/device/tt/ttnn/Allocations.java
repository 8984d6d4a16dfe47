package dev.pi0stream.device.tt.ttnn;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;

/** The tensors that a device holds, what they take, and which of them are how old. */
final class Allocations {
  private final Set<TtnnTensor> tensors = Collections.newSetFromMap(new IdentityHashMap<>());

  /** Those that a replay may not overwrite, and when they were made: the newest comes last. */
  private final SequencedMap<TtnnTensor, Long> lasting = new LinkedHashMap<>();

  private long made;
  private long bytes;
  private long peak;

  void add(TtnnTensor tensor) {
    tensors.add(tensor);
    bytes += tensor.bytes();
    peak = Math.max(peak, bytes);
  }

  /** A tensor holds from now on what a replay may not overwrite. */
  void lasts(TtnnTensor tensor) {
    made++;
    lasting.put(tensor, made);
  }

  void remove(TtnnTensor tensor) {
    tensors.remove(tensor);
    lasting.remove(tensor);
    bytes -= tensor.bytes();
  }

  /** How many have lasted so far: tells an older tensor from a younger one. */
  long made() {
    return made;
  }

  /** Whether there is one that is younger than that. */
  boolean holdsNewerThan(long then) {
    return !lasting.isEmpty() && lasting.lastEntry().getValue() > then;
  }

  int count() {
    return tensors.size();
  }

  long bytes() {
    return bytes;
  }

  long peak() {
    return peak;
  }

  void forgetPeak() {
    peak = bytes;
  }

  /** Gives all of them up, whoever owns them. */
  void abandon() {
    List.copyOf(tensors).forEach(TtnnTensor::abandon);
  }
}
