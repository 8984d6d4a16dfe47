package dev.pi0stream.operators.outcome;

import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.RandomAccess;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * One outcome in, one record out: chunks to the main output, all others to {@link #OUTCOMES}.
 * Counts them.
 */
public final class OutcomeRouter extends ProcessFunction<Outcome, WireRecord> {
  private static final long serialVersionUID = 1L;

  /** Records for the outcomes topic. */
  public static final OutputTag<WireRecord> OUTCOMES =
      new OutputTag<>("outcomes", TypeInformation.of(WireRecord.class));

  private transient WireFormat<ActionChunk> chunks;
  private transient WireFormat<ObservationOutcome> outcomes;
  private transient OutcomeMetrics metrics;

  @Override
  public void open(OpenContext context) {
    chunks = WireFormat.chunks();
    outcomes = WireFormat.outcomes();
    metrics = new OutcomeMetrics(getRuntimeContext().getMetricGroup());
  }

  @Override
  public void processElement(Outcome outcome, Context context, Collector<WireRecord> out) {
    byte[] key = outcome.robot() == null ? null : outcome.robot().getBytes(StandardCharsets.UTF_8);
    OutcomeKind kind =
        switch (outcome.kind()) {
          case CHUNK -> null;
          case SUPERSEDED -> OutcomeKind.SUPERSEDED;
          case EXPIRED -> OutcomeKind.EXPIRED;
          case REJECTED -> OutcomeKind.REJECTED;
        };
    if (kind == null) {
      out.collect(new WireRecord(key, chunks.encode(chunk(outcome))));
    } else {
      context.output(OUTCOMES, new WireRecord(key, outcomes.encode(outcome(kind, outcome))));
    }
    metrics.count(outcome.kind());
  }

  private static ActionChunk chunk(Outcome outcome) {
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
        .build();
  }

  private static ObservationOutcome outcome(OutcomeKind kind, Outcome outcome) {
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
