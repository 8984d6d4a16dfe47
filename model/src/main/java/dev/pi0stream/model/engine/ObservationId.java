package dev.pi0stream.model.engine;

import java.util.Objects;

/**
 * Who asked, and when: the identity of an observation, of its noise and of its chunk.
 *
 * @param sequence grows within an episode
 */
public record ObservationId(String robot, String episode, long sequence) {
  public ObservationId {
    Objects.requireNonNull(robot, "robot");
    Objects.requireNonNull(episode, "episode");
  }
}
