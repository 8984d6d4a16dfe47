package dev.pi0stream.operators.dataset;

import java.nio.file.Path;
import java.util.Map;

/** Where a dataset says which episodes and instructions it has; each version has its own way. */
sealed interface EpisodeList permits EpisodeTable, EpisodeLines {
  /**
   * Gives every episode that is listed, in the order of the files.
   *
   * @throws DatasetException when the list itself cannot be read
   */
  void read(EpisodeSink episodes);

  /** The instructions by their {@code task_index}. */
  Map<Long, String> tasks();

  /** The file that holds the instructions, for sentences. */
  Path tasksFile();

  /** Takes the episodes. */
  @FunctionalInterface
  interface EpisodeSink {
    /**
     * Takes one.
     *
     * @param defect one sentence when the episode cannot be as it is listed; null otherwise
     */
    void add(Episode episode, String defect);
  }
}
