package dev.pi0stream.tests.tenstorrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.Precision;
import dev.pi0stream.job.residency.Board;
import dev.pi0stream.job.residency.OperationStream;
import dev.pi0stream.job.residency.PerformanceModel;
import dev.pi0stream.job.residency.Prediction;
import dev.pi0stream.model.checkpoint.RandomWeights;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The predictions in the docs are those of {@code pi0 residency --board}. */
class PredictionPageTest {
  private static final Path BOARDS = Path.of("../docs/tenstorrent-boards.md");
  private static final Path PAGE = Path.of("../docs/tenstorrent.md");
  private static final RandomWeights.Size[] SIZES = {
    RandomWeights.Size.PI0, RandomWeights.Size.PI05
  };

  @Test
  void everyTableIsWhatTheCommandPrints() throws IOException {
    for (Board board : Board.values()) {
      for (RandomWeights.Size size : SIZES) {
        String name = size.name().toLowerCase(Locale.ROOT);
        CommandLineRun run =
            CommandLineRun.of("residency", "--random-weights", name, "--board", board.label());
        assertThat(run.code()).as(run.err()).isZero();
        String section = GeneratedSections.of("prediction %s %s".formatted(board, name), run.out());
        assertThat(GeneratedSections.check(BOARDS, section)).isOne();
      }
    }
  }

  @Test
  void theSummaryIsOfTheTables() throws IOException {
    StringBuilder table = new StringBuilder();
    table.append(
        "| | 1 camera | 2 cameras | 3 cameras | 3 cameras at peak | 16 robots, 3 cameras |\n");
    table.append("|---|---|---|---|---|---|\n");
    for (RandomWeights.Size size : SIZES) {
      try (RandomWeights weights = RandomWeights.of(size, 3, 0)) {
        int tokens = weights.config().maxTokens();
        for (Board board : Board.values()) {
          Prediction prediction = Prediction.of("random", weights, board, Precision.BFP8, tokens);
          table.append(
              "| %s, one chip of a %s | %.1f | %.1f | **%.1f** | %.1f | %.1f chunks/s |\n"
                  .formatted(
                      weights.config().typeName(),
                      board,
                      row(prediction, 1, 1).millis(),
                      row(prediction, 2, 1).millis(),
                      row(prediction, 3, 1).millis(),
                      row(prediction, 3, 1).atPeakMillis(),
                      row(prediction, 3, 16).chunksPerSecond()));
        }
      }
    }
    check("prediction summary", table.toString());
  }

  /** What was published for the same cameras, tokens and steps, one robot each. */
  private record Published(
      String what,
      RandomWeights.Size size,
      Board board,
      int cameras,
      int tokens,
      int steps,
      double millis) {
    OperationStream stream() {
      try (RandomWeights weights = RandomWeights.of(size, cameras, 0)) {
        return OperationStream.of(
            weights.config(), weights.dimensions(), Precision.BFP8, cameras, tokens, 1, steps);
      }
    }

    double predictedMillis(OperationStream stream) {
      return 1e3 * PerformanceModel.calibrated(board).seconds(stream);
    }
  }

  @Test
  void thePredictionStandsBesideWhatWasPublished() throws IOException {
    Published[] figures = {
      new Published("π0.5, P150a", RandomWeights.Size.PI05, Board.P150, 3, 256, 10, 58.40),
      new Published("π0.5, P150a", RandomWeights.Size.PI05, Board.P150, 3, 256, 5, 42.21),
      new Published("π0.5, P150a", RandomWeights.Size.PI05, Board.P150, 2, 256, 10, 51.83),
      new Published("π0.5, P150a", RandomWeights.Size.PI05, Board.P150, 2, 256, 5, 36.87),
      new Published("π0, P150a", RandomWeights.Size.PI0, Board.P150, 2, 32, 10, 140.6),
      new Published("π0, N300", RandomWeights.Size.PI0, Board.N300, 2, 32, 10, 326),
    };
    StringBuilder table = new StringBuilder();
    table.append(
        "| | cameras | tokens | steps | published, ms | predicted of its work | of ours |\n");
    table.append("|---|---|---|---|---|---|---|\n");
    for (Published one : figures) {
      table.append(
          "| %s | %d | %d | %d | %.1f | %.1f | %.1f |\n"
              .formatted(
                  one.what,
                  one.cameras,
                  one.tokens,
                  one.steps,
                  one.millis,
                  one.predictedMillis(one.stream().near().coarse()),
                  one.predictedMillis(one.stream())));
    }
    check("prediction published", table.toString());
  }

  private static void check(String name, String table) throws IOException {
    assertThat(GeneratedSections.check(PAGE, GeneratedSections.of(name, table))).isOne();
  }

  private static Prediction.Row row(Prediction prediction, int cameras, int robots) {
    return prediction.rows().stream()
        .filter(row -> row.cameras() == cameras && row.robots() == robots)
        .findFirst()
        .orElseThrow();
  }
}
