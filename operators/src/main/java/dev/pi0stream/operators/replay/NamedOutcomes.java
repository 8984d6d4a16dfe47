package dev.pi0stream.operators.replay;

import dev.pi0stream.operators.outcome.Outcome;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;

/**
 * Gives outcomes the true names of their robots back, and counts them in the accumulator {@value
 * #ANSWERED}, which tells how far a replay is.
 */
public final class NamedOutcomes extends RichMapFunction<Outcome, Outcome> {
  private static final long serialVersionUID = 1L;

  /** How many observations the policy has answered since the job was submitted. */
  public static final String ANSWERED = "answered";

  private final LongCounter answered = new LongCounter();

  @Override
  public void open(OpenContext context) {
    getRuntimeContext().addAccumulator(ANSWERED, answered);
  }

  @Override
  public Outcome map(Outcome outcome) {
    answered.add(1L);
    return LoneIdentity.named(outcome);
  }
}
