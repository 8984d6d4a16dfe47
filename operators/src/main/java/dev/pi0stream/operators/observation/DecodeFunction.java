package dev.pi0stream.operators.observation;

import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.source.SourceRecord;
import java.time.Instant;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Decodes records; those that say not whose they are end here, in {@link #REJECTED}. */
public final class DecodeFunction extends ProcessFunction<SourceRecord, DecodedObservation> {
  private static final long serialVersionUID = 1L;

  /** Outcomes of records that could not be read. */
  public static final OutputTag<Outcome> REJECTED =
      new OutputTag<>("unreadable", TypeInformation.of(Outcome.class));

  private final ObservationLimits limits;
  private transient ObservationDecoder decoder;

  public DecodeFunction(ObservationLimits limits) {
    this.limits = limits;
  }

  @Override
  public void open(OpenContext context) {
    decoder = new ObservationDecoder(limits);
  }

  @Override
  public void processElement(
      SourceRecord record, Context context, Collector<DecodedObservation> out) {
    DecodedObservation observation;
    try {
      observation = decoder.decode(record);
    } catch (UnreadableObservationException e) {
      context.output(
          REJECTED,
          new Outcome(
              record.position(),
              Outcome.Kind.REJECTED,
              e.robot(),
              e.episode(),
              e.sequence(),
              e.getMessage(),
              null,
              Instant.ofEpochMilli(context.timerService().currentProcessingTime())));
      return;
    }
    out.collect(observation);
  }
}
