package dev.pi0stream.job.replay;

import dev.pi0stream.job.run.CameraMapping;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.StepRange;
import dev.pi0stream.operators.policy.EngineSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * What a replay is compared with and what it leaves behind.
 *
 * @param against another policy or precision, replayed too
 * @param againstLog a live job's chunks: a container file or a folder of them
 * @param report file for the HTML page
 * @param parquet file for every chunk
 * @param lerobot directory for the dataset with added columns; must not be there
 */
public record ReplayOutputs(
    Optional<EngineSpec> against,
    Optional<Path> againstLog,
    Optional<Path> report,
    Optional<Path> parquet,
    Optional<Path> lerobot) {

  /** Compared with the log alone; leaves nothing behind. */
  public static ReplayOutputs none() {
    return new ReplayOutputs(
        Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  void write(
      ReplayResult result,
      ChunkTable table,
      LeRobotDataset dataset,
      CameraMapping cameras,
      List<Episode> episodes,
      StepRange steps)
      throws IOException, SQLException {
    writeChunks(table);
    if (report.isPresent()) {
      Files.writeString(parent(report.get()), new HtmlReport(result, dataset, cameras).html());
    }
    if (lerobot.isPresent()) {
      refuseDefects(dataset.root(), result.skippedEpisodes().isEmpty());
      new AnnotatedDataset(dataset, result, table, episodes, steps, lerobot.get().toAbsolutePath())
          .write();
    }
  }

  /** Refuses a log that could not be read at the end. */
  void requireLog() {
    if (againstLog.isPresent() && Files.notExists(againstLog.get())) {
      throw new IllegalArgumentException(
          "--against-log %s is not there".formatted(againstLog.get()));
    }
  }

  /**
   * Refuses what could not be written at the end.
   *
   * @param whole whether no episode is known to be broken
   */
  void check(Path dataset, boolean whole) {
    if (lerobot.isPresent()) {
      if (Files.exists(lerobot.get())) {
        throw new IllegalArgumentException(
            "--lerobot %s is there already: expected a directory that is not"
                .formatted(lerobot.get()));
      }
      refuseDefects(dataset, whole);
    }
  }

  private void refuseDefects(Path dataset, boolean whole) {
    if (!whole) {
      throw new IllegalArgumentException(
          "--lerobot %s cannot be written: not every episode of %s is whole"
              .formatted(lerobot.orElseThrow(), dataset));
    }
  }

  void writeChunks(ChunkTable table) throws IOException, SQLException {
    if (parquet.isPresent()) {
      table.export(parent(parquet.get()));
    }
  }

  private static Path parent(Path file) throws IOException {
    Path absolute = file.toAbsolutePath();
    Files.createDirectories(absolute.getParent());
    return absolute;
  }
}
