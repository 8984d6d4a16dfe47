package dev.pi0stream.model.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The actions that a robot has not executed yet, while the next chunk is computed: LeRobot's {@code
 * ActionQueue} ({@code rtc/action_queue.py}). With real-time chunking a new chunk replaces what is
 * left, without the actions whose time has passed; without it, a new chunk is appended.
 *
 * <p>Not safe for use by several threads.
 */
public final class ActionQueue {
  private final boolean realTimeChunking;
  private List<Action> actions;
  private int index;

  /**
   * One step of a chunk.
   *
   * @param model in model units: what {@link Guidance} wants of the leftover
   * @param robot in the robot's units: what is executed
   */
  public record Action(float[] model, float[] robot) {
    public Action {
      Objects.requireNonNull(model, "model");
      Objects.requireNonNull(robot, "robot");
    }
  }

  /** A queue that has not seen a chunk. */
  public ActionQueue(boolean realTimeChunking) {
    this.realTimeChunking = realTimeChunking;
  }

  /** Takes the next action; empty where none is left. */
  public Optional<Action> next() {
    return size() == 0 ? Optional.empty() : Optional.of(actions.get(index++));
  }

  /** How many actions are left. */
  public int size() {
    return actions == null ? 0 : actions.size() - index;
  }

  /** How many actions were taken since the last chunk came. */
  public int index() {
    return index;
  }

  /** The actions that are left; empty before the first chunk, and after {@link #clear()}. */
  public Optional<List<Action>> leftOver() {
    return actions == null
        ? Optional.empty()
        : Optional.of(List.copyOf(actions.subList(index, actions.size())));
  }

  /**
   * Takes in a new chunk.
   *
   * @param delay actions of the chunk whose time passed while it was computed: with real-time
   *     chunking they are left out, at most all of them; a negative delay counts as none
   */
  public void merge(List<Action> chunk, int delay) {
    List<Action> merged = new ArrayList<>();
    if (realTimeChunking) {
      merged.addAll(chunk.subList(Math.clamp(delay, 0, chunk.size()), chunk.size()));
    } else {
      leftOver().ifPresent(merged::addAll);
      merged.addAll(chunk);
    }
    actions = merged;
    index = 0;
  }

  /** Forgets everything: a new episode begins. */
  public void clear() {
    actions = null;
    index = 0;
  }
}
