package dev.pi0stream.job.audit;

import dev.pi0stream.operators.source.SourcePosition;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Collects findings: all are counted, the first are kept. */
final class Findings {
  private static final int KEPT = 100;

  private final Map<Finding.Kind, Long> counts = new EnumMap<>(Finding.Kind.class);
  private final List<Finding> first = new ArrayList<>();

  void add(Finding.Kind kind, SourcePosition place, String sentence) {
    counts.merge(kind, 1L, Long::sum);
    if (first.size() < KEPT) {
      first.add(new Finding(kind, place, sentence));
    }
  }

  Map<Finding.Kind, Long> counts() {
    return counts;
  }

  List<Finding> first() {
    return first;
  }

  /** The same again, to be added to. */
  Findings copy() {
    Findings copy = new Findings();
    copy.counts.putAll(counts);
    copy.first.addAll(first);
    return copy;
  }
}
