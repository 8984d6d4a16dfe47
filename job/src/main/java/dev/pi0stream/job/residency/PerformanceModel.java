package dev.pi0stream.job.residency;

import dev.pi0stream.device.Precision;
import dev.pi0stream.job.bench.Stage;
import dev.pi0stream.model.checkpoint.RandomWeights;
import java.util.EnumMap;
import java.util.Map;

/**
 * How long a chip takes for a stream of operations, supposing that each takes as long as its
 * arithmetic or its bytes, whichever is more, at a share of the board's published peaks, and a time
 * for itself besides. Nothing overlaps; what the host does comes on top.
 *
 * @param shareOfPeak of arithmetic and of bandwidth alike, at most 1
 * @param operationSeconds what an operation takes before and after it works at that share
 */
public record PerformanceModel(Board board, double shareOfPeak, double operationSeconds) {
  /**
   * tt-metal's own π0.5 on a P150a restricted to 11 × 10 cores, three cameras, one robot, 50
   * actions, traced, from observation to actions: {@code models/experimental/pi0_5/p150/README.md}
   * at 46d412c.
   */
  private static final double PUBLISHED_FIVE_STEPS = 42.21e-3;

  private static final double PUBLISHED_TEN_STEPS = 58.40e-3;

  /** Its prefix is padded to 1024 rows. */
  private static final int PUBLISHED_TOKENS = 256;

  /** Every operation at the published peaks, and nothing besides: no chip is faster. */
  public static PerformanceModel atPeak(Board board) {
    return new PerformanceModel(board, 1, 0);
  }

  /**
   * A board that is used as well as tt-metal's own π0.5 uses a P150: the same share of the peaks
   * and the same time for an operation. Its work is counted as that of these operations, but all
   * with HiFi2 and with what flows between them in the cores' memory, since it multiplies and
   * places so.
   */
  public static PerformanceModel calibrated(Board board) {
    PerformanceModel peak = atPeak(Board.P150);
    OperationStream five = published(5);
    OperationStream ten = published(10);
    double workFive = peak.seconds(five);
    double workTen = peak.seconds(ten);
    double countFive = count(five);
    double countTen = count(ten);
    // work / share + count · time = published, twice.
    double determinant = workFive * countTen - workTen * countFive;
    double slowdown =
        (PUBLISHED_FIVE_STEPS * countTen - PUBLISHED_TEN_STEPS * countFive) / determinant;
    double each = (workFive * PUBLISHED_TEN_STEPS - workTen * PUBLISHED_FIVE_STEPS) / determinant;
    return new PerformanceModel(board, 1 / slowdown, each);
  }

  private static OperationStream published(int steps) {
    try (RandomWeights weights = RandomWeights.of(RandomWeights.Size.PI05, 3, 0)) {
      return OperationStream.of(
              weights.config(), weights.dimensions(), Precision.BFP8, 3, PUBLISHED_TOKENS, 1, steps)
          .near()
          .coarse();
    }
  }

  /** Seconds by stage. */
  public Map<Stage, Double> secondsByStage(OperationStream stream) {
    Map<Stage, Double> seconds = new EnumMap<>(Stage.class);
    for (OperationStream.DeviceOperation operation : stream.operations()) {
      double arithmetic = operation.flops() / board.operationsPerSecond(operation.exact());
      double memory = operation.bytes() / board.bytesPerSecond();
      double each = Math.max(arithmetic, memory) / shareOfPeak + operationSeconds;
      seconds.merge(operation.stage(), operation.count() * each, Double::sum);
    }
    return seconds;
  }

  /** Seconds of all stages, one after the other. */
  public double seconds(OperationStream stream) {
    return secondsByStage(stream).values().stream().mapToDouble(Double::doubleValue).sum();
  }

  /** How many operations a stream has. */
  static int count(OperationStream stream) {
    return stream.operations().stream().mapToInt(OperationStream.DeviceOperation::count).sum();
  }
}
