package dev.pi0stream.operators.policy;

import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.processor.Observation;
import java.util.List;
import java.util.TreeSet;

/**
 * What a policy is asked at all. The model itself follows LeRobot, which cuts long prompts, takes
 * cameras that it does not know for missing and serves an observation without any: on a robot these
 * are mistakes, and they are refused here.
 */
final class Admission {
  private final ServedPolicy policy;

  Admission(ServedPolicy policy) {
    this.policy = policy;
  }

  /** Why an observation is refused, in one sentence; null when it is not. */
  String refusal(Observation observation) {
    List<String> cameras = policy.cameras();
    TreeSet<String> unknown = new TreeSet<>(observation.frames().keySet());
    unknown.removeAll(cameras);
    if (!unknown.isEmpty()) {
      return "camera '%s' is not one of the policy's: expected %s"
          .formatted(unknown.first(), names(cameras));
    }
    if (observation.frames().isEmpty()) {
      return "observation has no frame: expected one of camera " + names(cameras);
    }
    int dimensions = policy.stateDimensions();
    if (observation.state().length != dimensions) {
      return "state has %d numbers: expected %d".formatted(observation.state().length, dimensions);
    }
    int tokens = policy.promptTokens(observation);
    if (tokens > policy.promptLimit()) {
      return "prompt has %d tokens and would be cut: expected at most %d"
          .formatted(tokens, policy.promptLimit());
    }
    return null;
  }

  private static String names(List<String> cameras) {
    return "'" + String.join("', '", cameras) + "'";
  }
}
