package dev.pi0stream.job.verify;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;

/** Compares the outputs of one file's operations with the file, and sees that none is left out. */
final class OperationOutputs {
  private static final String PREFIX = "out.";

  private final Golden.Operation operation;
  private final GoldenFile file;
  private final Comparisons comparisons;
  private final Set<String> seen = new HashSet<>();

  OperationOutputs(Golden.Operation operation, GoldenFile file, Comparisons comparisons) {
    this.operation = operation;
    this.file = file;
    this.comparisons = comparisons;
  }

  /** The bounds that the manifest gives. */
  private Criterion tolerance() {
    return operation.relativeTolerance().isPresent()
        ? new Criterion.Relative(operation.relativeTolerance().getAsDouble())
        : new Criterion.Absolute(
            operation
                .tolerance()
                .orElseThrow(
                    () ->
                        new GoldenException(
                            "%s: the manifest gives no tolerance".formatted(operation.file()))),
            Double.POSITIVE_INFINITY);
  }

  /** Whether the file has this output. */
  boolean wants(String name) {
    return file.has(PREFIX + name);
  }

  /** Compares what the host computed: the same in every precision. */
  void host(String name, Supplier<Values> computed) {
    compare(name, computed, tolerance(), null);
  }

  /** Compares what the device computed. */
  void device(String name, Supplier<Values> computed) {
    compare(name, computed, comparisons.device(tolerance()), null);
  }

  /** Compares what the device computed, where a row counts. */
  void device(String name, Supplier<Values> computed, boolean[] rows) {
    compare(name, computed, comparisons.device(tolerance()), rows);
  }

  /** Compares an RMSNorm that the device computed. */
  void norm(String name, Supplier<Values> computed) {
    compare(name, computed, comparisons.norm(tolerance()), null);
  }

  /** Compares an RMSNorm that the device computed, where a row counts. */
  void norm(String name, Supplier<Values> computed, boolean[] rows) {
    compare(name, computed, comparisons.norm(tolerance()), rows);
  }

  /** Compares pixels of whole bytes, within the manifest's bounds. */
  void pixels(String name, Supplier<Values> computed) {
    pixels(name, computed, tolerance().threshold());
  }

  /** Compares pixels of whole bytes, within bounds of their own. */
  void pixels(String name, Supplier<Values> computed, double tolerance) {
    if (!wants(name)) {
      return;
    }
    seen.add(PREFIX + name);
    try {
      comparisons.comparePixels(
          file.name(), PREFIX + name, computed.get(), file.get(PREFIX + name), tolerance);
    } catch (GoldenException e) {
      throw e;
    } catch (RuntimeException e) {
      comparisons.fail(file.name(), PREFIX + name, e);
    }
  }

  private void compare(
      String name, Supplier<Values> computed, Criterion criterion, boolean[] rows) {
    if (!wants(name)) {
      return;
    }
    String component = PREFIX + name;
    seen.add(component);
    Values expected = file.get(component);
    try {
      Values values = computed.get();
      if (rows == null) {
        comparisons.compare(file.name(), component, values, expected, criterion);
      } else {
        boolean[] counts = new boolean[expected.values().length];
        int columns = counts.length / Math.max(rows.length, 1);
        for (int i = 0; i < counts.length; i++) {
          counts[i] = rows[i / columns];
        }
        comparisons.compare(file.name(), component, values, expected, criterion, counts, null);
      }
    } catch (GoldenException e) {
      throw e;
    } catch (RuntimeException e) {
      comparisons.fail(file.name(), component, e);
    }
  }

  /** Reports the outputs of the file that nothing was computed for. */
  void finish() {
    for (String name : file.names(PREFIX)) {
      if (!seen.contains(name)) {
        comparisons.same(file.name(), name, false, "nothing computes such an output");
      }
    }
  }
}
