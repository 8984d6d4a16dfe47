package dev.pi0stream.tests.simulator;

import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.audit.Auditor;
import dev.pi0stream.job.audit.Recomputation;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Three topics as logs: two partitions of observations, one each of chunks and outcomes. */
final class SimulatedBroker {
  static final int PARTITIONS = 2;

  private final VirtualTime time;
  private final List<List<SourceRecord>> observations = new ArrayList<>();
  private final List<Message> chunks = new ArrayList<>();
  private final List<Message> outcomes = new ArrayList<>();
  private Instant stalledUntil = Instant.MIN;

  /** What was written to a topic. */
  record Message(byte[] key, byte[] value) {}

  SimulatedBroker(VirtualTime time) {
    this.time = time;
    for (int partition = 0; partition < PARTITIONS; partition++) {
      observations.add(new ArrayList<>());
    }
  }

  /** Takes and gives nothing until then. */
  void stall(Instant until) {
    stalledUntil = until;
  }

  boolean isStalled() {
    return time.instant().isBefore(stalledUntil);
  }

  /** Appends an observation; robots wait for the broker themselves. */
  void send(int partition, byte[] value) {
    List<SourceRecord> log = observations.get(partition);
    log.add(
        new SourceRecord(
            new SourcePosition("observations", partition, log.size()),
            time.instant().toEpochMilli(),
            value));
  }

  /** The record at a place; null where the log ends. */
  SourceRecord read(int partition, int offset) {
    List<SourceRecord> log = observations.get(partition);
    return offset < log.size() ? log.get(offset) : null;
  }

  void write(Message message, boolean chunk) {
    (chunk ? chunks : outcomes).add(message);
  }

  /** How many robots have a chunk of an episode. */
  int served(String episode) {
    return (int)
        chunks.stream()
            .map(SimulatedBroker::decoded)
            .filter(chunk -> chunk.getEpisode().equals(episode))
            .map(ActionChunk::getRobot)
            .distinct()
            .count();
  }

  private static ActionChunk decoded(Message message) {
    try {
      return WireFormat.chunks().decode(message.value());
    } catch (WireException e) {
      throw new AssertionError(e);
    }
  }

  /** Has what is on the topics judged, as {@code pi0 audit} does. */
  AuditReport audit(Recomputation recomputation) {
    Auditor auditor = new Auditor(true, _ -> false);
    for (List<SourceRecord> log : observations) {
      log.forEach(message -> auditor.observed(message).ifPresent(recomputation::offer));
    }
    for (int i = 0; i < chunks.size(); i++) {
      auditor.delivered(
          new SourcePosition("chunks", 0, i), chunks.get(i).key(), chunks.get(i).value());
    }
    for (int i = 0; i < outcomes.size(); i++) {
      auditor.ended(
          new SourcePosition("outcomes", 0, i), outcomes.get(i).key(), outcomes.get(i).value());
    }
    recomputation.run(auditor);
    return auditor.report();
  }
}
