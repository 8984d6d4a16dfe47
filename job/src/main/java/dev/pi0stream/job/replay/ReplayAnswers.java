package dev.pi0stream.job.replay;

import dev.pi0stream.job.replay.ReplayResult.Throughput;
import dev.pi0stream.schemas.OutcomeKind;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;

/**
 * What the job of a replay wrote.
 *
 * @param chunks container files
 * @param seconds for which the job ran; null where some of it was there before
 */
record ReplayAnswers(List<Path> chunks, ReplayOutcomes outcomes, Double seconds) {
  /**
   * Reads what is in a work folder.
   *
   * @param steps whether the names are those of a dataset's steps
   */
  static ReplayAnswers read(WorkDirectory work, boolean steps, Double seconds) throws IOException {
    return new ReplayAnswers(
        WorkDirectory.containers(work.chunks()),
        ReplayOutcomes.read(WorkDirectory.containers(work.outcomes()), steps),
        seconds);
  }

  long rejected() {
    return outcomes.count(OutcomeKind.REJECTED);
  }

  /**
   * How fast they came; null where that cannot be said.
   *
   * @param engines that answered
   */
  Throughput throughput(ChunkTable table, int engines) throws SQLException {
    return seconds == null
        ? null
        : new Throughput(
            seconds,
            table.count(ChunkTable.Set.REPLAYED) / seconds,
            table.deviceSeconds(ChunkTable.Set.REPLAYED) / engines / seconds);
  }

  /**
   * Proves that every answer is there.
   *
   * @throws IllegalStateException when one is missing or there twice
   */
  static void requireAll(long due, long found) {
    if (due != found) {
      throw new IllegalStateException(
          "%d answers were due, but %d are there: this replay is not to be trusted"
              .formatted(due, found));
    }
  }
}
