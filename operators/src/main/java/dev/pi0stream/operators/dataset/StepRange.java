package dev.pi0stream.operators.dataset;

/**
 * Which steps of an episode are wanted: every {@code stride}-th from {@code from} on, before {@code
 * to}.
 *
 * @param to beyond the last; may lie beyond the episode
 */
public record StepRange(int from, int to, int stride) {
  /** All of them. */
  public static final StepRange ALL = new StepRange(0, Integer.MAX_VALUE, 1);

  public StepRange {
    if (from < 0 || to < from || stride < 1) {
      throw new IllegalArgumentException(
          "steps %d to %d by %d: expected 0 <= from <= to and a stride of 1 or more"
              .formatted(from, to, stride));
    }
  }

  /** How many they are in an episode of a length. */
  public int count(int length) {
    int end = Math.min(to, length);
    return end <= from ? 0 : (end - from - 1) / stride + 1;
  }

  /** Whether a step is one of them. */
  public boolean contains(int step) {
    return step >= from && step < to && (step - from) % stride == 0;
  }

  /** The same steps without those before one of them. */
  public StepRange startingAt(int step) {
    return new StepRange(step, Math.max(step, to), stride);
  }
}
