package dev.pi0stream.job.replay;

import dev.pi0stream.operators.policy.PolicyLoader;
import java.io.PrintWriter;
import java.util.concurrent.CountDownLatch;

/**
 * One replay: has the job answer every logged observation, proves that none is missing and none
 * there twice, and compares.
 */
public final class Replay {
  private final ReplaySettings settings;
  private final ReplayOutputs outputs;
  private final PolicyLoader loader;
  private final PrintWriter out;
  private final boolean terminal;
  private final CountDownLatch stop = new CountDownLatch(1);

  /**
   * A replay.
   *
   * @param loader loads policies to their devices, with the noise of a replay
   * @param out takes what a person wants to know while it runs
   * @param terminal whether a person looks at {@code out} on a terminal
   */
  public Replay(
      ReplaySettings settings,
      ReplayOutputs outputs,
      PolicyLoader loader,
      PrintWriter out,
      boolean terminal) {
    this.settings = settings;
    this.outputs = outputs;
    this.loader = loader;
    this.out = out;
    this.terminal = terminal;
  }

  /** Stops it; with a work folder it goes on there another time. */
  public void stop() {
    stop.countDown();
  }

  /**
   * Replays.
   *
   * @throws ReplayStoppedException when it was stopped
   * @throws Exception one sentence when it cannot start or goes wrong
   */
  public ReplayResult execute() throws Exception {
    outputs.requireLog();
    try (Scratch scratch = Scratch.of(settings.work())) {
      SourceReplay replay =
          Recording.isOne(settings.source())
              ? new RecordingReplay(settings, outputs, this::answers, out)
              : new DatasetReplay(settings, outputs, this::answers, out);
      return replay.execute(scratch.root());
    }
  }

  /** Has observations answered. */
  @FunctionalInterface
  interface Answering {
    /**
     * Has the job answer what it has not answered yet.
     *
     * @param total answers of all observations
     * @param steps whether they are those of a dataset
     */
    ReplayAnswers answers(
        ReplaySettings what,
        WorkDirectory work,
        ReplayRun.Observations observations,
        long total,
        boolean steps)
        throws Exception;
  }

  private ReplayAnswers answers(
      ReplaySettings what,
      WorkDirectory work,
      ReplayRun.Observations observations,
      long total,
      boolean steps)
      throws Exception {
    if (work.isFinished()) {
      out.printf("%s has every answer already%n", work.root());
      return ReplayAnswers.read(work, steps, null);
    }
    long before = work.answers();
    ReplayRun.Ended run =
        new ReplayRun(what, loader, work, stop, out, terminal).execute(observations, total, before);
    if (!run.finished()) {
      throw new ReplayStoppedException(
          settings.work().isPresent()
              ? "stopped with %,d of %,d answers; the same command goes on"
                  .formatted(work.answers(), total)
              : "stopped with %,d of %,d answers, which are lost; --work DIR would keep them"
                  .formatted(work.answers(), total));
    }
    return ReplayAnswers.read(work, steps, before == 0 ? run.seconds() : null);
  }
}
