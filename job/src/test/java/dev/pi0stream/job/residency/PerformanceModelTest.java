package dev.pi0stream.job.residency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.device.Precision;
import dev.pi0stream.job.bench.BenchSettings;
import dev.pi0stream.job.bench.Stage;
import dev.pi0stream.job.bench.Work;
import dev.pi0stream.model.checkpoint.RandomWeights;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class PerformanceModelTest {
  @Test
  void theModelTakesWhatUpstreamTakesWhereItWasCalibrated() {
    PerformanceModel model = PerformanceModel.calibrated(Board.P150);
    assertThat(model.seconds(upstream(3, 5))).isCloseTo(42.21e-3, within(1e-9));
    assertThat(model.seconds(upstream(3, 10))).isCloseTo(58.40e-3, within(1e-9));
    assertThat(model.shareOfPeak()).isBetween(0.1, 0.9);
    assertThat(model.operationSeconds()).isBetween(1e-6, 20e-6);
  }

  @Test
  void withTwoCamerasItIsNearWhatUpstreamTakes() {
    PerformanceModel model = PerformanceModel.calibrated(Board.P150);
    assertThat(model.seconds(upstream(2, 10))).isCloseTo(51.83e-3, within(0.1 * 51.83e-3));
    assertThat(model.seconds(upstream(2, 5))).isCloseTo(36.87e-3, within(0.1 * 36.87e-3));
  }

  /** The work of tt-metal's own π0.5. */
  private static OperationStream upstream(int cameras, int steps) {
    return stream(RandomWeights.Size.PI05, cameras, 256, 1, steps).near().coarse();
  }

  /** Padding and what has no weights make it more. */
  @ParameterizedTest
  @CsvSource({"PI0, 1", "PI0, 4", "PI05, 1", "PI05, 4"})
  void theArithmeticIsThatOfThePolicyAndOfItsPadding(RandomWeights.Size size, int robots) {
    try (RandomWeights weights = RandomWeights.of(size, 3, 0)) {
      int tokens = weights.config().maxTokens();
      Work work =
          Work.of(
              new BenchSettings(3, tokens, robots, 10, 1, 0, BenchSettings.Scope.FULL),
              weights.config(),
              weights.dimensions());
      OperationStream stream = stream(size, 3, tokens, robots, 10);
      for (Stage stage : Stage.values()) {
        double flops =
            stream.operations().stream()
                .filter(operation -> operation.stage() == stage)
                .mapToDouble(operation -> operation.count() * operation.flops())
                .sum();
        assertThat(flops / work.operations(stage)).as(stage.label()).isBetween(1.0, 1.45);
      }
    }
  }

  @Test
  void eachOperationTakesItsArithmeticOrItsBytes() {
    PerformanceModel peak = PerformanceModel.atPeak(Board.P150);
    OperationStream stream = stream(RandomWeights.Size.PI0, 1, 48, 1, 10);
    double flops = 0;
    double bytes = 0;
    double coarse = 0;
    for (OperationStream.DeviceOperation operation : stream.operations()) {
      flops += operation.count() * operation.flops();
      bytes += operation.count() * operation.bytes();
      coarse += operation.exact() ? 0 : operation.count() * operation.flops();
    }
    double arithmetic = coarse / (664e12 * 110 / 120) + (flops - coarse) / (332e12 * 110 / 120);
    double memory = bytes / 512e9;
    assertThat(peak.seconds(stream)).isBetween(Math.max(arithmetic, memory), arithmetic + memory);
    PerformanceModel slower = new PerformanceModel(Board.P150, 0.5, 1e-6);
    assertThat(slower.seconds(stream))
        .isCloseTo(2 * peak.seconds(stream) + 1e-6 * PerformanceModel.count(stream), within(1e-9));
  }

  @Test
  void aStepReadsTheExpertsWeights() {
    OperationStream nine = stream(RandomWeights.Size.PI05, 3, 200, 1, 9);
    OperationStream ten = stream(RandomWeights.Size.PI05, 3, 200, 1, 10);
    double bytes = bytes(ten) - bytes(nine);
    // 18 layers of 17.3 million weights, and two of the prefix's keys and values.
    double expert = 18 * (1024.0 * 2560 + 2048 * 1024 + 3 * 1024 * 4096) * 1088 / 1024;
    double context = 18 * 2 * 992.0 * 256 * 2;
    assertThat(bytes).isCloseTo(expert + context, within(0.01 * expert));
  }

  private static double bytes(OperationStream stream) {
    return stream.operations().stream().mapToDouble(one -> one.count() * one.bytes()).sum();
  }

  @ParameterizedTest
  @EnumSource
  void aTableSaysWhatWouldHaveToBeTrue(Board board) {
    try (RandomWeights weights = RandomWeights.of(RandomWeights.Size.PI05, 3, 0)) {
      Prediction prediction = Prediction.of("it", weights, board, Precision.BFP8, 200);
      assertThat(prediction.rows()).hasSize(15);
      Prediction.Row one =
          prediction.rows().stream()
              .filter(row -> row.cameras() == 3 && row.robots() == 1)
              .findFirst()
              .orElseThrow();
      assertThat(one.millis())
          .isCloseTo(one.visionMillis() + one.prefixMillis() + one.denoiseMillis(), within(1e-6));
      assertThat(one.atPeakMillis()).isLessThan(one.millis());
      List<Prediction.Variant> variants = prediction.target().variants();
      assertThat(variants.getFirst().predictedMillis()).isCloseTo(one.millis(), within(1e-6));
      assertThat(variants)
          .isSortedAccordingTo(
              Comparator.comparingDouble(Prediction.Variant::predictedMillis).reversed());
      OperationStream stream = stream(RandomWeights.Size.PI05, 3, 200, 1, 10).near().coarse();
      Prediction.Variant last = variants.getLast();
      if (last.operationMicros() != null) {
        assertThat(
                new PerformanceModel(board, prediction.shareOfPeak(), last.operationMicros() / 1e6)
                    .seconds(stream))
            .isCloseTo(40e-3, within(1e-6));
      }
      if (last.shareOfPeak() != null) {
        assertThat(
                new PerformanceModel(board, last.shareOfPeak(), prediction.operationMicros() / 1e6)
                    .seconds(stream))
            .isCloseTo(40e-3, within(1e-6));
      }
    }
  }

  @Test
  void boardsHaveNames() {
    assertThat(Board.parse("P150")).isEqualTo(Board.P150);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Board.parse("h100"))
        .withMessage("board 'h100': expected one of n150, n300, p100, p150");
  }

  @Test
  void aPictureOfPartsOfTilesIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> stream(RandomWeights.Size.TINY, 2, 5, 1, 10))
        .withMessageContaining("a picture is 16 rows");
  }

  @Test
  void robotsMakeMoreOperationsOnlyWhereTheirRowsArePutTogether() {
    Map<String, Long> one = stream(RandomWeights.Size.PI0, 3, 48, 1, 10).counts(Stage.DENOISE);
    Map<String, Long> four = stream(RandomWeights.Size.PI0, 3, 48, 4, 10).counts(Stage.DENOISE);
    assertThat(four.get("linear")).isEqualTo(one.get("linear"));
    assertThat(four.get("concat")).isEqualTo(one.get("concat") + 1);
  }

  private static OperationStream stream(
      RandomWeights.Size size, int cameras, int tokens, int robots, int steps) {
    try (RandomWeights weights = RandomWeights.of(size, 3, 0)) {
      return OperationStream.of(
          weights.config(), weights.dimensions(), Precision.BFP8, cameras, tokens, robots, steps);
    }
  }
}
