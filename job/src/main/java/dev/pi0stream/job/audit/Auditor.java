package dev.pi0stream.job.audit;

import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.observation.ObservationDecoder;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.observation.UnreadableObservationException;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Checks outcomes against the rule, from records alone:
 *
 * <ul>
 *   <li>every record of the observations topic has an outcome, and one only from each generation of
 *       the job;
 *   <li>an answer is that of the observation in the record that it names, and goes to its robot;
 *   <li>answers to the same record are equal, and never a chunk and a rejection;
 *   <li>within a generation a robot's chunks grow newer, and none comes from a generation that was
 *       replaced; an episode that comes back behind two others begins anew, as it does for {@link
 *       dev.pi0stream.operators.session.SessionRules};
 *   <li>what ended as superseded has something that it can be superseded by;
 *   <li>what is unreadable or broken was rejected.
 * </ul>
 *
 * <p>Feed it the observations first, then the answers, each topic in the order of its partitions.
 * Keeps some hundred bytes and the first chunk of each record.
 */
public final class Auditor {
  private final ObservationDecoder decoder = new ObservationDecoder(ObservationLimits.DEFAULT);
  private final WireFormat<ActionChunk> chunks = WireFormat.chunks();
  private final WireFormat<ObservationOutcome> outcomes = WireFormat.outcomes();
  private final boolean complete;
  private final Predicate<SourcePosition> outside;
  private final Map<SourcePosition, RecordEntry> records = new LinkedHashMap<>();
  private final Map<String, SentByRobot> sent = new HashMap<>();
  private final Map<String, Delivery> deliveries = new HashMap<>();
  private final Findings findings = new Findings();
  private long seen;
  private long repeats;
  private long recomputed;

  /**
   * An auditor who has seen nothing.
   *
   * @param complete whether it sees the observations from the first on; otherwise what superseded
   *     an observation may lie before what it sees
   * @param outside which records it is not to see; answers to them do not count
   */
  public Auditor(boolean complete, Predicate<SourcePosition> outside) {
    this.complete = complete;
    this.outside = outside;
  }

  /** Takes a record of the observations topic; gives what it holds, where that can be read. */
  public Optional<DecodedObservation> observed(SourceRecord message) {
    DecodedObservation observation;
    try {
      observation = decoder.decode(message);
    } catch (UnreadableObservationException e) {
      records.put(message.position(), new RecordEntry(++seen, seen, null, null, e.getMessage()));
      return Optional.empty();
    }
    seen++;
    records.put(
        message.position(),
        new RecordEntry(
            seen,
            noteSent(observation),
            observation.id(),
            observation.observedAt(),
            observation.defect()));
    return Optional.of(observation);
  }

  /**
   * Takes a record of the observations topic that came behind those which are audited: it may have
   * superseded one of them.
   */
  public void sentLater(SourceRecord message) {
    seen++;
    try {
      noteSent(decoder.decode(message));
    } catch (UnreadableObservationException e) {
      // What says not whose it is supersedes nothing.
    }
  }

  private long noteSent(DecodedObservation observation) {
    return sent.computeIfAbsent(observation.robot(), _ -> new SentByRobot())
        .add(observation.id(), seen);
  }

  /**
   * Takes a record of the chunks topic.
   *
   * @param at its own place, for sentences
   */
  public void delivered(SourcePosition at, byte[] key, byte[] value) {
    ActionChunk chunk;
    try {
      chunk = chunks.decode(value == null ? new byte[0] : value);
    } catch (WireException e) {
      findings.add(Finding.Kind.MALFORMED, null, "the record %s: %s".formatted(at, e.getMessage()));
      return;
    }
    SourcePosition source =
        new SourcePosition(
            chunk.getSourceTopic(), chunk.getSourcePartition(), chunk.getSourceOffset());
    RecordEntry entry = entry(at, source);
    if (entry == null) {
      return;
    }
    ObservationId id = new ObservationId(chunk.getRobot(), chunk.getEpisode(), chunk.getSequence());
    if (entry.defect() != null) {
      findings.add(
          Finding.Kind.BROKEN_SERVED,
          source,
          "it was served: expected a rejection, since " + entry.defect());
      return;
    }
    if (!id.equals(entry.id())
        || !chunk.getObservedAt().equals(entry.observedAt())
        || !isKeyOf(key, chunk.getRobot())) {
      findings.add(
          Finding.Kind.FOREIGN,
          source,
          "the chunk at %s is for %s, observed at %s: expected %s, observed at %s"
              .formatted(at, id, chunk.getObservedAt(), entry.id(), entry.observedAt()));
      return;
    }
    if (!isWellFormed(chunk)) {
      findings.add(
          Finding.Kind.MALFORMED,
          source,
          "its chunk has %d numbers for %d × %d: expected as many, all finite"
              .formatted(
                  chunk.getActions().size(), chunk.getHorizon(), chunk.getActionDimensions()));
      return;
    }
    answered(source, entry, chunk.getGeneration());
    entry.take(chunk).ifPresent(sentence -> findings.add(Finding.Kind.DIFFERENT, source, sentence));
    deliver(chunk, entry.begun(), source);
  }

  /**
   * Takes a record of the outcomes topic.
   *
   * @param at its own place, for sentences
   */
  public void ended(SourcePosition at, byte[] key, byte[] value) {
    ObservationOutcome outcome;
    try {
      outcome = outcomes.decode(value == null ? new byte[0] : value);
    } catch (WireException e) {
      findings.add(Finding.Kind.MALFORMED, null, "the record %s: %s".formatted(at, e.getMessage()));
      return;
    }
    SourcePosition source =
        new SourcePosition(
            outcome.getSourceTopic(), outcome.getSourcePartition(), outcome.getSourceOffset());
    RecordEntry entry = entry(at, source);
    if (entry == null) {
      return;
    }
    if (entry.id() != null && !isOf(outcome, entry.id())) {
      findings.add(
          Finding.Kind.FOREIGN,
          source,
          "the outcome at %s is of robot %s, episode %s, sequence %s: expected %s"
              .formatted(
                  at, outcome.getRobot(), outcome.getEpisode(), outcome.getSequence(), entry.id()));
      return;
    }
    if (entry.defect() != null && outcome.getKind() != OutcomeKind.REJECTED) {
      findings.add(
          Finding.Kind.BROKEN_SERVED,
          source,
          "it ended as %s: expected a rejection, since %s"
              .formatted(outcome.getKind(), entry.defect()));
    }
    answered(source, entry, outcome.getGeneration());
    entry
        .take(outcome.getKind())
        .ifPresent(sentence -> findings.add(Finding.Kind.DIFFERENT, source, sentence));
  }

  /** The places of the records that have no outcome yet. */
  public List<SourcePosition> missing() {
    return records.entrySet().stream()
        .filter(entry -> entry.getValue().answers() == 0)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** The first chunk of a record, for who wants to compute it again; empty for none. */
  public Optional<ActionChunk> chunk(SourcePosition source) {
    return Optional.ofNullable(records.get(source)).map(RecordEntry::chunk);
  }

  /** Takes the actions that a record that was served should have. */
  public void recomputed(SourcePosition source, List<Float> actions) {
    recomputed++;
    records
        .get(source)
        .difference(actions)
        .ifPresent(
            sentence ->
                findings.add(Finding.Kind.WRONG_ACTIONS, source, "computed again, " + sentence));
  }

  /** What is known by now. */
  public AuditReport report() {
    Findings all = findings.copy();
    long served = 0;
    long superseded = 0;
    long expired = 0;
    long rejected = 0;
    long missing = 0;
    for (Map.Entry<SourcePosition, RecordEntry> record : records.entrySet()) {
      RecordEntry entry = record.getValue();
      if (entry.answers() == 0) {
        missing++;
        all.add(Finding.Kind.MISSING, record.getKey(), "it has no outcome: expected one");
      } else if (entry.chunk() != null) {
        served++;
      } else if (entry.kind() == OutcomeKind.SUPERSEDED) {
        superseded++;
        if (complete && !isSuperseded(entry)) {
          all.add(
              Finding.Kind.UNJUSTIFIED,
              record.getKey(),
              "it ended as superseded: expected a newer record than %s, or the same again"
                  .formatted(entry.id()));
        }
      } else if (entry.kind() == OutcomeKind.EXPIRED) {
        expired++;
      } else {
        rejected++;
      }
    }
    return new AuditReport(
        records.size(),
        served,
        superseded,
        expired,
        rejected,
        missing,
        repeats,
        recomputed,
        all.counts(),
        all.first());
  }

  private RecordEntry entry(SourcePosition at, SourcePosition source) {
    RecordEntry entry = records.get(source);
    if (entry == null && !outside.test(source)) {
      findings.add(
          Finding.Kind.STRAY,
          source,
          "the answer at %s names it: expected a record there".formatted(at));
    }
    return entry;
  }

  private void answered(SourcePosition source, RecordEntry entry, long generation) {
    if (!entry.answeredBy(generation)) {
      findings.add(
          Finding.Kind.TWICE,
          source,
          "generation %d answered it again: expected one answer".formatted(generation));
    } else if (entry.answers() > 1) {
      repeats++;
    }
  }

  private void deliver(ActionChunk chunk, long begun, SourcePosition source) {
    Delivery before = deliveries.get(chunk.getRobot());
    if (before == null) {
      deliveries.put(chunk.getRobot(), Delivery.first(chunk, begun, source));
      return;
    }
    before
        .replaced(chunk)
        .ifPresent(sentence -> findings.add(Finding.Kind.OLD_GENERATION, source, sentence));
    before
        .stale(chunk, begun, source)
        .ifPresent(sentence -> findings.add(Finding.Kind.STALE, source, sentence));
    deliveries.put(chunk.getRobot(), before.with(chunk, begun, source));
  }

  private boolean isSuperseded(RecordEntry entry) {
    return entry.id() != null
        && sent.get(entry.id().robot()).supersedes(entry.id(), entry.number());
  }

  private static boolean isOf(ObservationOutcome outcome, ObservationId id) {
    return id.robot().equals(outcome.getRobot())
        && id.episode().equals(outcome.getEpisode())
        && outcome.getSequence() != null
        && id.sequence() == outcome.getSequence();
  }

  private static boolean isKeyOf(byte[] key, String robot) {
    return key != null && Arrays.equals(key, robot.getBytes(StandardCharsets.UTF_8));
  }

  private static boolean isWellFormed(ActionChunk chunk) {
    return chunk.getHorizon() > 0
        && chunk.getActionDimensions() > 0
        && chunk.getActions().size() == (long) chunk.getHorizon() * chunk.getActionDimensions()
        && chunk.getActions().stream().allMatch(Float::isFinite);
  }
}
