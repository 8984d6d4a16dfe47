package dev.pi0stream.tests.simulator;

import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.session.RememberedSession;
import dev.pi0stream.operators.session.ResolvedObservation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a job is restored from.
 *
 * @param offsets where the source goes on, by partition
 * @param inFlight what was at the engine, or answered and not handed on
 * @param overtaken what a barrier overtook before the policy
 * @param answered what it overtook behind it
 */
record Checkpoint(
    int[] offsets,
    Map<String, RememberedSession> sessions,
    List<ResolvedObservation> inFlight,
    List<DecodedObservation> overtaken,
    List<Outcome> answered) {
  /** Before the first record. */
  static Checkpoint empty() {
    return new Checkpoint(
        new int[SimulatedBroker.PARTITIONS], Map.of(), List.of(), List.of(), List.of());
  }

  /** Sessions that learn apart from these. */
  static Map<String, RememberedSession> copy(Map<String, RememberedSession> sessions) {
    Map<String, RememberedSession> copy = new HashMap<>();
    sessions.forEach((robot, session) -> copy.put(robot, session.copy()));
    return copy;
  }
}
