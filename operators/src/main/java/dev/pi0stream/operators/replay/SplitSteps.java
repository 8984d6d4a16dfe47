package dev.pi0stream.operators.replay;

import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.session.ResolvedObservation;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Observations to the main output, ends of broken episodes to {@link #SKIPPED}. */
public final class SplitSteps extends ProcessFunction<LoggedStep, ResolvedObservation> {
  private static final long serialVersionUID = 1L;

  /** Episodes that cannot be read to their end. */
  public static final OutputTag<Outcome> SKIPPED =
      new OutputTag<>("skipped", TypeInformation.of(Outcome.class));

  @Override
  public void processElement(LoggedStep step, Context context, Collector<ResolvedObservation> out) {
    if (step.skipped() != null) {
      context.output(SKIPPED, step.skipped());
    } else {
      out.collect(step.observation());
    }
  }
}
