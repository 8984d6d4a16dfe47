package dev.pi0stream.job.audit;

import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.OutcomeKind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A record of the observations topic and the answers to it. */
final class RecordEntry {
  /** What the answers of different batches may differ by where they are not the reference's. */
  private static final float FP32_TOLERANCE = 1e-4f;

  private static final float COARSE_TOLERANCE = 2e-2f;

  private final long number;
  private final long begun;
  private final ObservationId id;
  private final Instant observedAt;
  private final String defect;
  private final List<Long> generations = new ArrayList<>(1);
  private ActionChunk chunk;
  private boolean rejected;
  private OutcomeKind kind;

  /**
   * A record without an answer.
   *
   * @param number in the order in which records were read
   * @param begun the number of the record with which its episode began
   * @param id null where the record does not say whose it is
   * @param observedAt null there, too
   * @param defect why it cannot be served, whatever the policy; null for nothing
   */
  RecordEntry(long number, long begun, ObservationId id, Instant observedAt, String defect) {
    this.number = number;
    this.begun = begun;
    this.id = id;
    this.observedAt = observedAt;
    this.defect = defect;
  }

  long number() {
    return number;
  }

  /** The number of the record with which its episode began. */
  long begun() {
    return begun;
  }

  ObservationId id() {
    return id;
  }

  Instant observedAt() {
    return observedAt;
  }

  String defect() {
    return defect;
  }

  /** The first chunk; null for none. */
  ActionChunk chunk() {
    return chunk;
  }

  /** The strongest end that is not a chunk; null for none. */
  OutcomeKind kind() {
    return kind;
  }

  int answers() {
    return generations.size();
  }

  /** Notes that a generation answered; false if it had before. */
  boolean answeredBy(long generation) {
    boolean first = generation == 0 || !generations.contains(generation);
    generations.add(generation);
    return first;
  }

  /** Takes an end without a chunk; says what it contradicts. */
  Optional<String> take(OutcomeKind end) {
    rejected |= end == OutcomeKind.REJECTED;
    if (kind == null || end == OutcomeKind.REJECTED) {
      kind = end;
    }
    return contradiction();
  }

  /** Takes a chunk; says what it contradicts. */
  Optional<String> take(ActionChunk another) {
    if (chunk == null) {
      chunk = another;
      return contradiction();
    }
    if (!another.getCheckpoint().equals(chunk.getCheckpoint())) {
      return Optional.of(
          "its chunks are of two checkpoints, %s and %s: expected one"
              .formatted(chunk.getCheckpoint(), another.getCheckpoint()));
    }
    return difference(another.getActions());
  }

  private Optional<String> contradiction() {
    return chunk != null && rejected
        ? Optional.of("it was served and rejected: expected one of both")
        : Optional.empty();
  }

  /** Where the first chunk's actions are not these. */
  Optional<String> difference(List<Float> actions) {
    if (actions.size() != chunk.getActions().size()) {
      return Optional.of(
          "its chunk has %d numbers, and then %d: expected as many"
              .formatted(chunk.getActions().size(), actions.size()));
    }
    float tolerance = tolerance(chunk.getDevice());
    for (int i = 0; i < actions.size(); i++) {
      float first = chunk.getActions().get(i);
      float again = actions.get(i);
      if (!(Math.abs(again - first) <= tolerance * Math.max(1, Math.abs(first)))) {
        return Optional.of(
            "number %d of its actions is %s, and then %s: expected the same within %s"
                .formatted(i, first, again, tolerance));
      }
    }
    return Optional.empty();
  }

  /** The device's label is back end and precision. */
  private static float tolerance(String device) {
    if (device.startsWith("reference/")) {
      return 0;
    }
    return device.endsWith("/fp32") ? FP32_TOLERANCE : COARSE_TOLERANCE;
  }
}
