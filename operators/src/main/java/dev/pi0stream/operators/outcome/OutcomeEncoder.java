package dev.pi0stream.operators.outcome;

import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.RandomAccess;

/** Writes outcomes as records of the wire contract. */
public final class OutcomeEncoder {
  private final WireFormat<ActionChunk> chunks = WireFormat.chunks();
  private final WireFormat<ObservationOutcome> outcomes = WireFormat.outcomes();
  private final long generation;

  /**
   * An encoder.
   *
   * @param generation when the task that writes was started, in microseconds since the epoch
   */
  public OutcomeEncoder(long generation) {
    this.generation = generation;
  }

  /** The record of an outcome: for the chunks topic where it is a chunk, else for the outcomes. */
  public WireRecord encode(Outcome outcome) {
    byte[] key = outcome.robot() == null ? null : outcome.robot().getBytes(StandardCharsets.UTF_8);
    return new WireRecord(
        key,
        switch (outcome.kind()) {
          case CHUNK -> chunks.encode(chunk(outcome));
          case SUPERSEDED -> outcomes.encode(ended(OutcomeKind.SUPERSEDED, outcome));
          case EXPIRED -> outcomes.encode(ended(OutcomeKind.EXPIRED, outcome));
          case REJECTED -> outcomes.encode(ended(OutcomeKind.REJECTED, outcome));
        });
  }

  private ActionChunk chunk(Outcome outcome) {
    Outcome.Actions chunk = outcome.chunk();
    return ActionChunk.newBuilder()
        .setRobot(outcome.robot())
        .setEpisode(outcome.episode())
        .setSequence(outcome.sequence())
        .setObservedAt(chunk.observedAt())
        .setHorizon(chunk.horizon())
        .setActionDimensions(chunk.actionDimensions())
        .setActions(new FloatList(chunk.actions()))
        .setCheckpoint(chunk.checkpoint())
        .setDevice(chunk.device())
        .setBatchSize(chunk.batchSize())
        .setQueueMicros(chunk.queueMicros())
        .setVisionMicros(chunk.visionMicros())
        .setPrefixMicros(chunk.prefixMicros())
        .setDenoiseMicros(chunk.denoiseMicros())
        .setSourceTopic(outcome.source().topic())
        .setSourcePartition(outcome.source().partition())
        .setSourceOffset(outcome.source().offset())
        .setCamerasReused(chunk.camerasReused())
        .setPrefixReused(chunk.prefixReused())
        .setExecuteFrom(chunk.executeFrom())
        .setGeneration(generation)
        .build();
  }

  private ObservationOutcome ended(OutcomeKind kind, Outcome outcome) {
    return ObservationOutcome.newBuilder()
        .setKind(kind)
        .setReason(outcome.reason())
        .setRobot(outcome.robot())
        .setEpisode(outcome.episode())
        .setSequence(outcome.sequence())
        .setDecidedAt(outcome.decidedAt())
        .setSourceTopic(outcome.source().topic())
        .setSourcePartition(outcome.source().partition())
        .setSourceOffset(outcome.source().offset())
        .setGeneration(generation)
        .build();
  }

  /** Numbers as Avro takes them. */
  private static final class FloatList extends AbstractList<Float> implements RandomAccess {
    private final float[] values;

    FloatList(float[] values) {
      this.values = values;
    }

    @Override
    public Float get(int index) {
      return values[index];
    }

    @Override
    public int size() {
      return values.length;
    }
  }
}
