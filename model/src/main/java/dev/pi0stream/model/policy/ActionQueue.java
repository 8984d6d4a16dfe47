package dev.pi0stream.model.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The actions that a robot has yet to execute, while the next chunk is computed. LeRobot's {@code
 * ActionQueue}: beside the actions in robot units it holds them in model units, whose rest is what
 * real-time chunking pulls the next chunk towards.
 *
 * <p>With real-time chunking a new chunk replaces the queue, without the actions whose time passed
 * while it was computed; without, it is appended. Safe for use by a robot's control and inference
 * threads.
 */
public final class ActionQueue {
  private static final Logger LOG = LoggerFactory.getLogger(ActionQueue.class);

  private final boolean realTimeChunking;
  private List<float[]> original = List.of();
  private List<float[]> processed = List.of();
  private boolean merged;
  private int index;

  /** An empty queue. */
  public ActionQueue(boolean realTimeChunking) {
    this.realTimeChunking = realTimeChunking;
  }

  /** Takes the next action in robot units; empty when there is none. */
  public synchronized Optional<float[]> next() {
    return index < processed.size()
        ? Optional.of(processed.get(index++).clone())
        : Optional.empty();
  }

  /** The number of actions that were not taken yet. */
  public synchronized int size() {
    return processed.size() - index;
  }

  /** How many actions were taken since the last {@link #merge}. */
  public synchronized int index() {
    return index;
  }

  /** The actions that were not taken yet, in model units; empty before the first chunk. */
  public synchronized Optional<List<float[]>> leftover() {
    return merged
        ? Optional.of(
            original.subList(index, original.size()).stream().map(float[]::clone).toList())
        : Optional.empty();
  }

  /**
   * Adds a chunk.
   *
   * @param original its actions in model units
   * @param processed the same in robot units
   * @param delay control steps that passed while it was computed; a negative one counts as 0, one
   *     beyond the chunk as the whole chunk
   * @param indexBefore {@link #index()} when its computation began, if it is known: where it says
   *     another delay, that is logged and {@code delay} stands
   */
  public synchronized void merge(
      List<float[]> original, List<float[]> processed, int delay, OptionalInt indexBefore) {
    if (original.size() != processed.size()) {
      throw new IllegalArgumentException(
          "a chunk of %d actions in model units and %d in robot units"
              .formatted(original.size(), processed.size()));
    }
    if (indexBefore.isPresent() && Math.max(0, index - indexBefore.getAsInt()) != delay) {
      LOG.warn(
          "{} actions were executed while a chunk was computed, but its delay is given as {}",
          Math.max(0, index - indexBefore.getAsInt()),
          delay);
    }
    int from = realTimeChunking ? Math.clamp(delay, 0, original.size()) : 0;
    int kept = realTimeChunking ? this.original.size() : index;
    this.original = joined(this.original, kept, original, from);
    this.processed = joined(this.processed, kept, processed, from);
    this.merged = true;
    this.index = 0;
  }

  private static List<float[]> joined(
      List<float[]> first, int firstFrom, List<float[]> second, int secondFrom) {
    List<float[]> joined = new ArrayList<>(first.subList(firstFrom, first.size()));
    second.subList(secondFrom, second.size()).forEach(action -> joined.add(action.clone()));
    return joined;
  }

  /** Forgets everything. */
  public synchronized void clear() {
    original = List.of();
    processed = List.of();
    merged = false;
    index = 0;
  }
}
