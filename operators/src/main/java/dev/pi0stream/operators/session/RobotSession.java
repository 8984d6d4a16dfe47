package dev.pi0stream.operators.session;

/**
 * What is remembered of a robot besides its frames. Kept in state as a plain object, so that fields
 * may be added and removed from one version to the next: one that is added is null, or 0, in
 * sessions that were stored without it.
 *
 * @param episode the robot is in
 * @param previousEpisode the one before; null for none
 * @param instruction the episode's last prompt; null where there is none to inherit
 * @param sequence of the newest observation
 */
public record RobotSession(
    String episode, String previousEpisode, String instruction, long sequence) {}
