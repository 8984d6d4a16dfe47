package dev.pi0stream.operators.replay;

import dev.pi0stream.operators.source.SourcePosition;

/**
 * The names under which steps of a dataset are asked; noise is drawn from them, so they are part of
 * what a replay computes.
 *
 * <p>Each noise sample is a robot, each episode an episode, each step a sequence.
 *
 * @param frame the step's number in the episode
 */
public record StepIdentity(int episode, int frame, int sample) {
  private static final String ROBOT = "sample-";
  private static final String EPISODE = "episode-";

  /** The robot's name. */
  public String robot() {
    return ROBOT + sample;
  }

  /** The episode's name. */
  public String episodeName() {
    return episodeName(episode);
  }

  /** The name of an episode. */
  static String episodeName(int episode) {
    return EPISODE + episode;
  }

  /**
   * The identity that has these names.
   *
   * @throws IllegalArgumentException when none has
   */
  public static StepIdentity of(String robot, String episode, long sequence) {
    if (!robot.startsWith(ROBOT)) {
      throw new IllegalArgumentException(
          "robot '%s' is none of a replayed dataset: expected %s0 or the like"
              .formatted(robot, ROBOT));
    }
    return new StepIdentity(
        episode(episode),
        Math.toIntExact(sequence),
        Integer.parseInt(robot.substring(ROBOT.length())));
  }

  /**
   * The episode that has this name.
   *
   * @throws IllegalArgumentException when none has
   */
  public static int episode(String name) {
    if (!name.startsWith(EPISODE)) {
      throw new IllegalArgumentException(
          "episode '%s' is none of a replayed dataset: expected %s0 or the like"
              .formatted(name, EPISODE));
    }
    return Integer.parseInt(name.substring(EPISODE.length()));
  }

  /** Where the step stands, as if the dataset were a topic and its episodes the partitions. */
  SourcePosition position(String dataset) {
    return new SourcePosition(dataset, episode, frame);
  }
}
