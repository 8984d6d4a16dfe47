package dev.pi0stream.job.fleet;

/** Something that a robot does; times are nanoseconds from the start of the fleet. */
sealed interface RobotAct {
  /** When it is done, as far as anybody outside can tell. */
  long at();

  /**
   * The robot sees and sends.
   *
   * @param at when the network has carried it to the broker's door
   * @param observedAt when the frames were taken
   * @param episode the robot's how-manieth it is
   * @param sequence within the episode
   * @param pictures whether it brings new pictures
   */
  record Observe(long at, long observedAt, int episode, long sequence, boolean pictures)
      implements RobotAct {}

  /** The robot stops, for a while. */
  record PowerOff(long at) implements RobotAct {}
}
