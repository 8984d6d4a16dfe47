package dev.pi0stream.job.replay;

import java.io.PrintWriter;
import java.nio.file.Path;

/** The replay of one kind of source. */
abstract sealed class SourceReplay permits DatasetReplay, RecordingReplay {
  /** What is replayed. */
  protected final ReplaySettings settings;

  /** What it is compared with, and where that goes. */
  protected final ReplayOutputs outputs;

  /** Has observations answered. */
  protected final Replay.Answering job;

  /** Takes what a person wants to know. */
  protected final PrintWriter out;

  SourceReplay(
      ReplaySettings settings, ReplayOutputs outputs, Replay.Answering job, PrintWriter out) {
    this.settings = settings;
    this.outputs = outputs;
    this.job = job;
    this.out = out;
  }

  /**
   * Replays.
   *
   * @param root where answers and intermediate results are kept
   * @throws Exception one sentence when it cannot start or goes wrong
   */
  abstract ReplayResult execute(Path root) throws Exception;
}
