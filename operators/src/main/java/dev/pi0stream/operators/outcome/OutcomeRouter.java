package dev.pi0stream.operators.outcome;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * One outcome in, one record out: chunks to the main output, all others to {@link #OUTCOMES}.
 * Counts them. Every record says when this task was started, so that a reader can tell what a
 * recovery repeats from what must not occur.
 */
public final class OutcomeRouter extends ProcessFunction<Outcome, WireRecord> {
  private static final long serialVersionUID = 1L;

  /** Records for the outcomes topic. */
  public static final OutputTag<WireRecord> OUTCOMES =
      new OutputTag<>("outcomes", TypeInformation.of(WireRecord.class));

  private transient OutcomeEncoder encoder;
  private transient OutcomeMetrics metrics;

  @Override
  public void open(OpenContext context) {
    encoder = new OutcomeEncoder(ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));
    metrics = new OutcomeMetrics(getRuntimeContext().getMetricGroup());
  }

  @Override
  public void processElement(Outcome outcome, Context context, Collector<WireRecord> out) {
    WireRecord encoded = encoder.encode(outcome);
    if (outcome.kind() == Outcome.Kind.CHUNK) {
      out.collect(encoded);
    } else {
      context.output(OUTCOMES, encoded);
    }
    metrics.count(outcome, Instant.now());
  }
}
