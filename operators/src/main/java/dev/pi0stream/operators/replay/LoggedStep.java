package dev.pi0stream.operators.replay;

import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.session.ResolvedObservation;

/**
 * What reading an episode gave: an observation, or the end of the episode because it cannot be read
 * further. One of the two is null.
 *
 * @param skipped a rejection without a sequence: it is about the episode
 */
public record LoggedStep(ResolvedObservation observation, Outcome skipped) {}
