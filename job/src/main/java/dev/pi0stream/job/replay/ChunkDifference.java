package dev.pi0stream.job.replay;

import java.util.Arrays;

/**
 * How far the chunks of two sets are from each other. Written as JSON with these names.
 *
 * @param compared chunks that both have
 * @param equal those that are equal bit for bit
 * @param maxAbs the largest difference of a number, robot units; null where nothing was compared
 * @param meanAbs the mean difference, robot units
 * @param otherShape chunks whose size differs
 * @param onlyReplayed chunks that the other set does not have
 * @param onlyOther chunks that the replay does not have
 */
public record ChunkDifference(
    long compared,
    long equal,
    Double maxAbs,
    Double meanAbs,
    long otherShape,
    long onlyReplayed,
    long onlyOther) {

  /** Takes pairs. */
  static final class Sum {
    private long compared;
    private long equal;
    private long otherShape;
    private double max;
    private double total;
    private long numbers;

    void add(float[] replayed, float[] other) {
      compared++;
      if (replayed.length != other.length) {
        otherShape++;
        return;
      }
      if (Arrays.equals(replayed, other)) {
        equal++;
      }
      for (int i = 0; i < replayed.length; i++) {
        double difference = Math.abs((double) replayed[i] - other[i]);
        max = Math.max(max, difference);
        total += difference;
      }
      numbers += replayed.length;
    }

    ChunkDifference difference(long onlyReplayed, long onlyOther) {
      return new ChunkDifference(
          compared,
          equal,
          numbers == 0 ? null : max,
          numbers == 0 ? null : total / numbers,
          otherShape,
          onlyReplayed,
          onlyOther);
    }
  }
}
