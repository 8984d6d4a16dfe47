package dev.pi0stream.tests.tenstorrent;

import dev.pi0stream.device.tt.ttnn.Grid;
import dev.pi0stream.job.bench.Stage;
import java.util.List;

/**
 * What was measured of a policy on a mock board, as sections of the page on boards.
 *
 * @param policy {@code pi0} or {@code pi05}
 * @param rows by batch and cameras
 */
record BoardReport(String board, String policy, Grid grid, Dram dram, List<Row> rows) {
  private static final double MEGABYTE = 1e6;
  private static final double KILOBYTE = 1e3;

  /**
   * The chip's DRAM, in bytes.
   *
   * @param total what tensors may take
   * @param constants what all chunks share
   * @param prefix of one robot with three cameras
   * @param features of one picture
   * @param prefixes how many the engine keeps beside the largest batch
   */
  record Dram(
      long total, long weights, long constants, long prefix, long features, long prefixes) {}

  /**
   * A batch.
   *
   * @param chunk null where the chip has too little memory
   * @param refusal why, in that case
   */
  record Row(int batch, int cameras, FullSize.Chunk chunk, String refusal) {
    String label() {
      return "%d × %d".formatted(batch, cameras);
    }
  }

  /** The memory of this board. */
  String boardSection() {
    StringBuilder text = new StringBuilder();
    text.append(
        "%d × %d cores; DRAM %,.0f MB: weights %,.0f MB, constants %,.0f MB. A robot's prefix %.1f MB, a"
                .formatted(
                    grid.x(),
                    grid.y(),
                    dram.total / MEGABYTE,
                    dram.weights / MEGABYTE,
                    dram.constants / MEGABYTE,
                    dram.prefix / MEGABYTE)
            + (" picture's features %.1f MB.%n**%,d** robots' prefixes are kept for another use, which"
                    + " is three quarters of what the last batch below leaves.%n%n")
                .formatted(dram.features / MEGABYTE, dram.prefixes));
    text.append(
        """
        | robots × cameras | inputs and results, MB | activations, MB | L1 vision, kB | L1 prefix, kB | L1 denoise, kB | calls, nothing replayed | calls, all replayed |
        |---|---|---|---|---|---|---|---|
        """);
    for (Row row : rows) {
      if (row.chunk == null) {
        text.append("| %s | %s |%n".formatted(row.label(), row.refusal));
        continue;
      }
      FullSize.Chunk chunk = row.chunk;
      text.append(
          "| %s | %,.1f | %,.1f | %,.0f | %,.0f | %,.0f | %,d | %,d |%n"
              .formatted(
                  row.label(),
                  chunk.lasting() / MEGABYTE,
                  chunk.activations() / MEGABYTE,
                  chunk.peaks().get(Stage.VISION).l1() / KILOBYTE,
                  chunk.peaks().get(Stage.PREFIX).l1() / KILOBYTE,
                  chunk.peaks().get(Stage.DENOISE).l1() / KILOBYTE,
                  chunk.calls(),
                  chunk.replayed().calls()));
    }
    return GeneratedSections.of(board + " " + policy, text.toString());
  }

  /** The operations of this policy, which are the same on all boards. */
  String operationsSection() {
    StringBuilder text = new StringBuilder();
    text.append(
        """
        | robots × cameras | vision | prefix | denoise | all | uploads | uploaded, MB | downloads |
        |---|---|---|---|---|---|---|---|
        """);
    for (Row row : rows) {
      if (row.chunk == null) {
        continue;
      }
      FullSize.Chunk chunk = row.chunk;
      text.append(
          "| %s | %,d | %,d | %,d | **%,d** | %d | %.1f | %d |%n"
              .formatted(
                  row.label(),
                  chunk.issued().get(Stage.VISION).operationCount(),
                  chunk.issued().get(Stage.PREFIX).operationCount(),
                  chunk.issued().get(Stage.DENOISE).operationCount(),
                  chunk.operations(),
                  chunk.replayed().uploads(),
                  chunk.replayed().uploadedBytes() / MEGABYTE,
                  chunk.replayed().downloads()));
    }
    return GeneratedSections.of("operations " + policy, text.toString());
  }
}
