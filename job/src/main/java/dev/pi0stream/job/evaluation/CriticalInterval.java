package dev.pi0stream.job.evaluation;

import java.util.ArrayList;
import java.util.List;

/**
 * Steps of an episode at which a wrong action costs most.
 *
 * @param from the first step
 * @param to the last step
 */
public record CriticalInterval(Kind kind, int from, int to) {
  /** How long before and after an event it matters. */
  private static final double AROUND_SECONDS = 0.2;

  /** How long before a gripper change an approach may begin. */
  private static final double APPROACH_SECONDS = 1;

  /** A gripper is open above the upper share of its range and shut below the lower one. */
  private static final double OPEN = 0.6;

  private static final double SHUT = 0.4;

  /** A turn counts where the robot was this fast before and after, in proportion to fast. */
  private static final double TURN = 0.25;

  /** Why steps are critical. */
  public enum Kind {
    /** A gripper opens or shuts. */
    GRIPPER_CHANGE,
    /** A joint turns around. */
    REVERSAL,
    /** The robot goes slowly towards a gripper change. */
    APPROACH
  }

  /** How many steps around an event matter. */
  static int around(double fps) {
    return Math.max(1, (int) Math.round(AROUND_SECONDS * fps));
  }

  /**
   * Finds those of an episode; of one kind they do not overlap.
   *
   * @param groups which numbers of an action are grippers
   */
  public static List<CriticalInterval> of(
      LoggedEpisode episode, LoggedMotion motion, List<JointGroup> groups, double fps) {
    List<CriticalInterval> found = new ArrayList<>();
    int around = around(fps);
    List<Integer> changes = gripperChanges(episode, motion, groups);
    for (int change : changes) {
      add(found, Kind.GRIPPER_CHANGE, change - around, change + around, episode);
    }
    for (int turn : reversals(episode, motion)) {
      add(found, Kind.REVERSAL, turn - around, turn + around, episode);
    }
    int longest = (int) Math.round(APPROACH_SECONDS * fps);
    for (int change : changes) {
      int begin = change;
      while (begin > 0
          && change - begin < longest
          && motion.speed(episode, begin - 1) < motion.slow()) {
        begin--;
      }
      if (begin < change) {
        add(found, Kind.APPROACH, begin, change - 1, episode);
      }
    }
    return List.copyOf(found);
  }

  /** Adds an interval, together with the one before it where they touch. */
  private static void add(
      List<CriticalInterval> found, Kind kind, int from, int to, LoggedEpisode episode) {
    int begin = Math.max(0, from);
    int end = Math.min(episode.length() - 1, to);
    CriticalInterval last =
        found.isEmpty() || found.getLast().kind != kind ? null : found.getLast();
    if (last != null && begin <= last.to + 1) {
      found.set(
          found.size() - 1,
          new CriticalInterval(kind, Math.min(last.from, begin), Math.max(last.to, end)));
    } else {
      found.add(new CriticalInterval(kind, begin, end));
    }
  }

  /** The steps whose action is the first to have a gripper on the other side of its range. */
  private static List<Integer> gripperChanges(
      LoggedEpisode episode, LoggedMotion motion, List<JointGroup> groups) {
    List<Integer> dimensions =
        groups.stream()
            .filter(JointGroup::gripper)
            .flatMap(group -> group.dimensions().stream())
            .filter(d -> motion.max(d) > motion.min(d))
            .toList();
    List<Integer> changes = new ArrayList<>();
    Boolean[] open = new Boolean[dimensions.size()];
    for (int t = 0; t < episode.length(); t++) {
      boolean changed = false;
      for (int i = 0; i < open.length; i++) {
        int d = dimensions.get(i);
        double share =
            (episode.actions().get(t)[d] - motion.min(d)) / (motion.max(d) - motion.min(d));
        Boolean now = share > OPEN ? Boolean.TRUE : share < SHUT ? Boolean.FALSE : open[i];
        changed |= open[i] != null && !open[i].equals(now);
        open[i] = now;
      }
      if (changed) {
        changes.add(t);
      }
    }
    return changes;
  }

  private static List<Integer> reversals(LoggedEpisode episode, LoggedMotion motion) {
    int dimensions = episode.states().isEmpty() ? 0 : episode.states().getFirst().length;
    List<Integer> turns = new ArrayList<>();
    for (int t = 1; t + 1 < episode.length(); t++) {
      boolean turned = false;
      for (int d = 0; d < dimensions; d++) {
        double threshold = TURN * motion.fast(d);
        double before = LoggedMotion.change(episode, t - 1, d);
        double after = LoggedMotion.change(episode, t, d);
        turned |=
            threshold > 0
                && before * after < 0
                && Math.min(Math.abs(before), Math.abs(after)) > threshold;
      }
      if (turned) {
        turns.add(t);
      }
    }
    return turns;
  }
}
