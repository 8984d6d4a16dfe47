package dev.pi0stream.job.evaluation;

import java.util.List;

/**
 * What was logged in an episode, step by step.
 *
 * @param states robot units
 * @param actions robot units
 * @param tasks the instructions
 */
public record LoggedEpisode(
    int index, List<float[]> states, List<float[]> actions, List<String> tasks) {
  public LoggedEpisode {
    states = List.copyOf(states);
    actions = List.copyOf(actions);
    tasks = List.copyOf(tasks);
    if (states.size() != actions.size() || tasks.size() != actions.size()) {
      throw new IllegalArgumentException(
          "%d states, %d actions and %d instructions: expected as many of each"
              .formatted(states.size(), actions.size(), tasks.size()));
    }
  }

  /** How many steps it has. */
  public int length() {
    return actions.size();
  }
}
