package dev.pi0stream.job.audit;

import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.session.RememberedSession;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.session.SessionRules;
import dev.pi0stream.schemas.ActionChunk;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Computes some of the chunks again, each alone: the only proof that a row of a batch went to the
 * robot that it came from. Takes records at even distances over the range, and resolves "the same
 * as before" by the robots' own earlier records.
 */
public final class Recomputation {
  private final Optional<ServedPolicy> policy;
  private final int samples;
  private final Map<String, RememberedSession> sessions = new HashMap<>();
  private final List<ResolvedObservation> chosen = new ArrayList<>();
  private long stride = 1;
  private long offered;

  private Recomputation(Optional<ServedPolicy> policy, int samples) {
    this.policy = policy;
    this.samples = samples;
  }

  /** Computes nothing. */
  public static Recomputation none() {
    return new Recomputation(Optional.empty(), 0);
  }

  /**
   * Computes up to so many chunks again.
   *
   * @param policy used on this thread
   */
  public static Recomputation of(ServedPolicy policy, int samples) {
    return new Recomputation(Optional.of(policy), samples);
  }

  /** How many records there will be. */
  void expect(long records) {
    stride = Math.max(1, records / Math.max(1, samples));
  }

  /** Shows an observation, in the order of its partition. */
  public void offer(DecodedObservation observation) {
    if (policy.isEmpty()) {
      return;
    }
    RememberedSession session =
        sessions.computeIfAbsent(observation.robot(), _ -> new RememberedSession());
    try {
      if (SessionRules.take(observation, session) instanceof SessionRules.Resolved resolved
          && offered++ % stride == 0
          && chosen.size() < samples) {
        chosen.add(resolved.observation());
      }
    } catch (Exception e) {
      throw new IllegalStateException("a session in memory failed", e);
    }
  }

  /**
   * Computes again what was chosen and served.
   *
   * @throws IllegalArgumentException where the chunks are another policy's
   */
  public void run(Auditor auditor) {
    if (policy.isEmpty()) {
      return;
    }
    for (ResolvedObservation observation : chosen) {
      Optional<ActionChunk> chunk = auditor.chunk(observation.source());
      if (chunk.isPresent()) {
        requireSamePolicy(chunk.get());
        auditor.recomputed(observation.source(), actions(observation));
      }
    }
  }

  private void requireSamePolicy(ActionChunk chunk) {
    String digest = policy.orElseThrow().checkpointDigest();
    if (!chunk.getCheckpoint().equals(digest)) {
      throw new IllegalArgumentException(
          "the chunks were computed with checkpoint %s: expected %s, that of --checkpoint"
              .formatted(chunk.getCheckpoint(), digest));
    }
  }

  private List<Float> actions(ResolvedObservation resolved) {
    ServedPolicy served = policy.orElseThrow();
    Observation observation =
        new Observation(resolved.frames(), resolved.state(), resolved.prompt());
    Sample sample =
        new Sample(
            served.prepare(observation),
            new IdentityNoise(0).draw(resolved.id(), served.noiseSize()),
            resolved.execution() == null
                ? null
                : served.guidance(resolved.execution(), observation));
    float[] actions = served.actions(served.infer(List.of(sample)).x().getFirst(), observation);
    List<Float> numbers = new ArrayList<>(actions.length);
    for (float number : actions) {
      numbers.add(number);
    }
    return numbers;
  }
}
