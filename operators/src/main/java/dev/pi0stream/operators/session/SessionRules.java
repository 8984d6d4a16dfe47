package dev.pi0stream.operators.session;

import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.outcome.Outcome;
import java.util.HashMap;
import java.util.Map;

/**
 * Follows a robot from observation to observation: fills in the inherited prompt and the frames
 * that are the same as before, and ends what comes late.
 *
 * <ul>
 *   <li>Another episode begins anew: nothing is inherited from the last one. So does an episode
 *       that comes back behind two others, against the contract: episodes have no order of their
 *       own, and of a robot's earlier ones the last alone is remembered.
 *   <li>An observation that is not newer than the newest of its episode ends as superseded: the
 *       same sequence again is a repeat of one that has its outcome or will have it, a lower one
 *       came too late. So does what still comes from the episode before.
 *   <li>A session learns from every other observation, whether it can be served or not: the robot
 *       does not know that it was refused when it says "the same as before". A frame or a prompt
 *       that was refused is forgotten, so that nothing older is taken in its place.
 * </ul>
 */
public final class SessionRules {
  private SessionRules() {}

  /** What becomes of an observation in its session. */
  public sealed interface Result {}

  /** It can be served. */
  public record Resolved(ResolvedObservation observation) implements Result {}

  /** It ends here. */
  public record Ended(Outcome.Kind kind, String reason) implements Result {}

  /** Takes a robot's next observation; changes what is remembered of the robot. */
  public static Result take(DecodedObservation observation, SessionMemory memory) throws Exception {
    RobotSession session = memory.session();
    String late = late(observation, session);
    if (late != null) {
      // What cannot be served is rejected even so: that is what its sender has to know.
      return observation.defect() == null
          ? new Ended(Outcome.Kind.SUPERSEDED, late)
          : new Ended(Outcome.Kind.REJECTED, observation.defect());
    }
    String prompt = learn(observation, session, memory);
    Map<String, Frame> frames = new HashMap<>(observation.frames());
    String defect = observation.defect();
    for (String camera : observation.same()) {
      Frame last = memory.frame(camera);
      if (last != null) {
        frames.put(camera, last);
      } else if (defect == null) {
        defect =
            "frame of camera '%s' is SAME: expected an earlier frame of it in episode '%s'"
                .formatted(camera, observation.episode());
      }
    }
    if (defect == null && prompt == null) {
      defect =
          "observation has no prompt and episode '%s' has none to inherit: expected one in an episode's first observation, and after one that was refused"
              .formatted(observation.episode());
    }
    if (defect != null) {
      return new Ended(Outcome.Kind.REJECTED, defect);
    }
    return new Resolved(
        new ResolvedObservation(
            observation.source(),
            observation.robot(),
            observation.episode(),
            observation.sequence(),
            observation.observedAt(),
            observation.deadline(),
            prompt,
            observation.state(),
            frames,
            observation.execution()));
  }

  /** Why an observation comes too late; null when it does not. */
  private static String late(DecodedObservation observation, RobotSession session) {
    if (session == null) {
      return null;
    }
    if (observation.episode().equals(session.previousEpisode())) {
      return "episode '%s' was followed by '%s'"
          .formatted(observation.episode(), session.episode());
    }
    if (!observation.episode().equals(session.episode())
        || observation.sequence() > session.sequence()) {
      return null;
    }
    return observation.sequence() == session.sequence()
        ? "sequence %d of episode '%s' came again: its first record has the outcome"
            .formatted(observation.sequence(), observation.episode())
        : "sequence %d of episode '%s' came after %d"
            .formatted(observation.sequence(), observation.episode(), session.sequence());
  }

  /**
   * Remembers what an observation brings.
   *
   * @return the prompt that holds for it; null when there is none
   */
  private static String learn(
      DecodedObservation observation, RobotSession session, SessionMemory memory) throws Exception {
    boolean first = session == null || !session.episode().equals(observation.episode());
    if (first) {
      memory.forgetFrames();
    }
    for (String camera : observation.framesRefused()) {
      memory.forget(camera);
    }
    for (Map.Entry<String, Frame> frame : observation.frames().entrySet()) {
      memory.remember(frame.getKey(), frame.getValue());
    }
    String inherited = first || observation.promptRefused() ? null : session.instruction();
    String instruction = observation.prompt() != null ? observation.prompt() : inherited;
    String previous =
        session == null ? null : first ? session.episode() : session.previousEpisode();
    memory.remember(
        new RobotSession(observation.episode(), previous, instruction, observation.sequence()));
    return instruction;
  }
}
