package dev.pi0stream.model.text;

import java.util.Arrays;
import java.util.PriorityQueue;

/**
 * The merges of a byte-pair encoding, by rank: which two neighbours become which entry. Open
 * addressing over three arrays; Gemma's 580,604 cost eleven megabytes.
 */
final class Merges {
  private static final int NONE = -1;

  private final int[] left;
  private final int[] right;
  private final int[] merged;
  private final int[] slots;

  private Merges(int[] left, int[] right, int[] merged) {
    this.left = left;
    this.right = right;
    this.merged = merged;
    slots = new int[Integer.highestOneBit(Math.max(4, left.length + left.length / 2)) * 2];
    Arrays.fill(slots, NONE);
    for (int rank = 0; rank < left.length; rank++) {
      // Of two merges of the same pair the later one counts, as in Hugging Face's map.
      slots[slot(left[rank], right[rank])] = rank;
    }
  }

  /** Collects merges in the order of their ranks. */
  static final class Builder {
    private int[] left = new int[1 << 12];
    private int[] right = new int[1 << 12];
    private int[] merged = new int[1 << 12];
    private int count;

    void add(int leftId, int rightId, int mergedId) {
      if (count == left.length) {
        left = Arrays.copyOf(left, 2 * count);
        right = Arrays.copyOf(right, 2 * count);
        merged = Arrays.copyOf(merged, 2 * count);
      }
      left[count] = leftId;
      right[count] = rightId;
      merged[count++] = mergedId;
    }

    Merges build() {
      return new Merges(
          Arrays.copyOf(left, count), Arrays.copyOf(right, count), Arrays.copyOf(merged, count));
    }
  }

  int size() {
    return left.length;
  }

  /**
   * Merges neighbours, lowest rank first and of equal ranks the leftmost, until no two can be
   * merged: O(n log n). The order is that of {@code Word::merge_all} of Hugging Face's tokenizers.
   *
   * @param ids the ids of the characters; overwritten
   * @return how many ids are left at the beginning of {@code ids}
   */
  int apply(int[] ids, int count) {
    int[] previous = new int[count];
    int[] next = new int[count];
    PriorityQueue<Long> queue = new PriorityQueue<>();
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1 < count ? i + 1 : NONE;
    }
    for (int i = 0; i + 1 < count; i++) {
      offer(queue, ids, i, i + 1);
    }
    while (!queue.isEmpty()) {
      long top = queue.poll();
      int rank = (int) (top >>> 32);
      int at = (int) top;
      int second = next[at];
      if (second == NONE) {
        continue; // the last one by now, or merged into the one before it
      }
      int now = rank(ids[at], ids[second]);
      if (now == NONE || merged[now] != merged[rank]) {
        continue; // one of the two has changed since
      }
      ids[at] = merged[rank];
      next[at] = next[second];
      next[second] = NONE;
      if (next[at] != NONE) {
        previous[next[at]] = at;
        offer(queue, ids, at, next[at]);
      }
      if (previous[at] != NONE) {
        offer(queue, ids, previous[at], at);
      }
    }
    int kept = 0;
    for (int at = 0; at != NONE && kept < count; at = next[at]) {
      ids[kept++] = ids[at];
    }
    return kept;
  }

  private void offer(PriorityQueue<Long> queue, int[] ids, int at, int second) {
    int rank = rank(ids[at], ids[second]);
    if (rank != NONE) {
      queue.add(((long) rank << 32) | at);
    }
  }

  private int rank(int leftId, int rightId) {
    return slots[slot(leftId, rightId)];
  }

  /** Where the pair is, or would be. */
  private int slot(int leftId, int rightId) {
    long hash = (((long) leftId << 32) | rightId) * 0x9E3779B97F4A7C15L;
    int slot = (int) (hash >>> 40) & (slots.length - 1);
    while (slots[slot] != NONE && (left[slots[slot]] != leftId || right[slots[slot]] != rightId)) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  }
}
