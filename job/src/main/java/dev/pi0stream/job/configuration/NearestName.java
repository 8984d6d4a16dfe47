package dev.pi0stream.job.configuration;

import java.util.Comparator;
import java.util.List;

/** Which of the known names somebody probably meant. */
final class NearestName {
  private NearestName() {}

  /**
   * The known key that is the fewest slips away from one that is not known. A key in the wrong
   * section is one slip away from the one of the same name.
   *
   * @param known at least one; of equally near ones the first
   */
  static String of(String key, List<String> known) {
    return known.stream()
        .min(
            Comparator.comparingInt(
                candidate ->
                    Math.min(distance(key, candidate), 1 + distance(last(key), last(candidate)))))
        .orElseThrow();
  }

  /**
   * How many letters have to be inserted, left out, replaced or swapped with their neighbour to
   * make one word of the other (optimal string alignment).
   */
  static int distance(String one, String other) {
    int[] beforeLast = new int[other.length() + 1];
    int[] last = new int[other.length() + 1];
    int[] row = new int[other.length() + 1];
    for (int j = 0; j <= other.length(); j++) {
      last[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        int replaced = last[j - 1] + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(last[j], row[j - 1]));
        if (i > 1
            && j > 1
            && one.charAt(i - 1) == other.charAt(j - 2)
            && one.charAt(i - 2) == other.charAt(j - 1)) {
          row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
        }
      }
      int[] free = beforeLast;
      beforeLast = last;
      last = row;
      row = free;
    }
    return last[other.length()];
  }

  private static String last(String key) {
    return key.substring(key.lastIndexOf('.') + 1);
  }
}
