package dev.pi0stream.job.residency;

import dev.pi0stream.device.Precision;
import dev.pi0stream.job.bench.Stage;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How long a policy's chunks would take on a board, by {@link PerformanceModel}; written as JSON
 * with these names.
 *
 * @param weights what they are called
 * @param tokens of each prompt
 * @param shareOfPeak that the model supposes
 * @param operationMicros that the model supposes
 * @param rows by cameras and robots
 * @param target what would have to be true of one robot with all cameras
 */
public record Prediction(
    String weights,
    String board,
    String precision,
    int tokens,
    int steps,
    double shareOfPeak,
    double operationMicros,
    List<Row> rows,
    Target target) {
  private static final int[] BATCHES = {1, 2, 4, 8, 16};
  private static final double TARGET_MILLIS = 40;
  private static final double MILLIS = 1e3;

  /**
   * A batch.
   *
   * @param operations of TTNN
   * @param teraflops 10¹² multiplications and additions
   * @param gigabytes 10⁹ bytes of DRAM, read and written
   * @param atPeakMillis at the published peaks, with nothing besides
   * @param millis predicted, of all stages
   * @param chunksPerSecond predicted, of all robots
   */
  public record Row(
      int cameras,
      int robots,
      int operations,
      double teraflops,
      double gigabytes,
      double atPeakMillis,
      double visionMillis,
      double prefixMillis,
      double denoiseMillis,
      double millis,
      double chunksPerSecond) {}

  /**
   * What would have to be true of one robot with all cameras to be at so many milliseconds.
   *
   * @param variants the operations as they are, and changed
   */
  public record Target(double millis, List<Variant> variants) {}

  /**
   * The operations, changed or not.
   *
   * @param what was changed
   * @param atPeakMillis at the published peaks, with nothing besides
   * @param predictedMillis as the model supposes
   * @param operationMicros what an operation would have to take to be at the target, at the
   *     supposed share of the peaks; null where no time would do
   * @param shareOfPeak what the share would have to be, at the supposed time for an operation; null
   *     where even the peaks would not do
   */
  public record Variant(
      String what,
      double atPeakMillis,
      double predictedMillis,
      Double operationMicros,
      Double shareOfPeak) {}

  /**
   * Predicts.
   *
   * @param precision bfp8 or bf16
   * @throws IllegalArgumentException where the policy's pictures are not whole tiles of rows
   */
  public static Prediction of(
      String name, PolicyWeights weights, Board board, Precision precision, int tokens) {
    PerformanceModel model = PerformanceModel.calibrated(board);
    int most = weights.config().cameras().size();
    int steps = weights.config().inferenceSteps();
    List<Row> rows = new ArrayList<>();
    for (int cameras = 1; cameras <= most; cameras++) {
      for (int robots : BATCHES) {
        rows.add(row(model, stream(weights, precision, cameras, tokens, robots), cameras, robots));
      }
    }
    return new Prediction(
        name,
        board.label(),
        precision.label(),
        tokens,
        steps,
        model.shareOfPeak(),
        model.operationSeconds() * 1e6,
        rows,
        target(model, stream(weights, precision, most, tokens, 1)));
  }

  private static OperationStream stream(
      PolicyWeights weights, Precision precision, int cameras, int tokens, int robots) {
    int steps = weights.config().inferenceSteps();
    return OperationStream.of(
        weights.config(), weights.dimensions(), precision, cameras, tokens, robots, steps);
  }

  private static Row row(PerformanceModel model, OperationStream stream, int cameras, int robots) {
    double flops = 0;
    double bytes = 0;
    for (OperationStream.DeviceOperation operation : stream.operations()) {
      flops += operation.count() * operation.flops();
      bytes += operation.count() * operation.bytes();
    }
    Map<Stage, Double> seconds = model.secondsByStage(stream);
    double all = model.seconds(stream);
    return new Row(
        cameras,
        robots,
        PerformanceModel.count(stream),
        flops / 1e12,
        bytes / 1e9,
        PerformanceModel.atPeak(model.board()).seconds(stream) * MILLIS,
        seconds.get(Stage.VISION) * MILLIS,
        seconds.get(Stage.PREFIX) * MILLIS,
        seconds.get(Stage.DENOISE) * MILLIS,
        all * MILLIS,
        robots / all);
  }

  private static Target target(PerformanceModel model, OperationStream stream) {
    return new Target(
        TARGET_MILLIS,
        List.of(
            variant("as they are", model, stream),
            variant("what flows between operations in the cores' memory", model, stream.near()),
            variant("that, and HiFi2 throughout", model, stream.near().coarse())));
  }

  private static Variant variant(String what, PerformanceModel model, OperationStream stream) {
    double wanted = TARGET_MILLIS / MILLIS;
    double atPeak = PerformanceModel.atPeak(model.board()).seconds(stream);
    int count = PerformanceModel.count(stream);
    double each = (wanted - atPeak / model.shareOfPeak()) / count;
    double share = atPeak / (wanted - count * model.operationSeconds());
    return new Variant(
        what,
        atPeak * MILLIS,
        model.seconds(stream) * MILLIS,
        each > 0 ? each * 1e6 : null,
        share > 0 && share <= 1 ? share : null);
  }
}
