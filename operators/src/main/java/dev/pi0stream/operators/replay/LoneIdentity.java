package dev.pi0stream.operators.replay;

import dev.pi0stream.model.engine.Noise;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.session.ResolvedObservation;

/**
 * Makes each observation of a replay a robot of its own for the engine, and gives it its name back
 * afterwards. A live robot's newer observation takes the place of its waiting one; in a replay none
 * may get lost, and they are computed together, across episodes and along time. Noise is drawn from
 * the true names, so that a chunk is that of the live robot.
 */
public final class LoneIdentity {
  private static final char SEPARATOR = '\n';

  private LoneIdentity() {}

  /**
   * The observation as one that stands for itself; what it missed when it was live is forgotten.
   */
  public static ResolvedObservation alone(ResolvedObservation observation) {
    return new ResolvedObservation(
        observation.source(),
        observation.robot() + suffix(observation.episode(), observation.sequence()),
        observation.episode(),
        observation.sequence(),
        observation.observedAt(),
        null,
        observation.prompt(),
        observation.state(),
        observation.frames(),
        observation.execution());
  }

  /** The outcome of such an observation under its robot's true name. */
  public static Outcome named(Outcome outcome) {
    return new Outcome(
        outcome.source(),
        outcome.kind(),
        robot(outcome.robot(), outcome.episode(), outcome.sequence()),
        outcome.episode(),
        outcome.sequence(),
        outcome.reason(),
        outcome.chunk(),
        outcome.decidedAt());
  }

  /** Noise that is drawn from the true names. */
  public static Noise noise(Noise noise) {
    return (id, count) ->
        noise.draw(
            new ObservationId(
                robot(id.robot(), id.episode(), id.sequence()), id.episode(), id.sequence()),
            count);
  }

  private static String robot(String alone, String episode, long sequence) {
    return alone.substring(0, alone.length() - suffix(episode, sequence).length());
  }

  private static String suffix(String episode, long sequence) {
    return SEPARATOR + episode + SEPARATOR + sequence;
  }
}
