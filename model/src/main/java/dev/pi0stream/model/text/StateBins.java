package dev.pi0stream.model.text;

/**
 * The state as π0.5 reads it: each number as one of 256 bins of [−1, 1), in decimal. {@code
 * np.digitize(state, np.linspace(-1, 1, 257)[:-1]) - 1} of LeRobot's {@code processor_pi05.py} and
 * openpi's {@code tokenizer.py}.
 */
public final class StateBins {
  private static final int BINS = 256;

  private StateBins() {}

  /**
   * The bin of a normalised number: 0 to 255 from −1 on, −1 below −1, 255 from 1 on and for NaN.
   */
  public static int bin(double normalised) {
    if (normalised < -1) {
      return -1;
    }
    if (!(normalised < 1)) {
      return BINS - 1;
    }
    int bin = (int) Math.floor(normalised * (BINS / 2) + BINS / 2);
    // The sum rounds: a tiny negative number must not become the bin that begins at zero.
    return edge(bin) > normalised ? bin - 1 : bin;
  }

  /** Where a bin begins; exact, since the bins are 1/128 wide. */
  private static double edge(int bin) {
    return (double) bin / (BINS / 2) - 1;
  }

  /** The bins of a state, with spaces between. */
  static String text(double[] normalised) {
    StringBuilder text = new StringBuilder();
    for (double value : normalised) {
      text.append(text.isEmpty() ? "" : " ").append(bin(value));
    }
    return text.toString();
  }
}
