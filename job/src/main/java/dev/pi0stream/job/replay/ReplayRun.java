package dev.pi0stream.job.replay;

import dev.pi0stream.job.embedded.EmbeddedFlink;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.operators.replay.NamedOutcomes;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.core.execution.CheckpointType;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Runs the job of a replay in a cluster of its own, from its last checkpoint where it has one. */
final class ReplayRun {
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration LAST_CHECKPOINT = Duration.ofSeconds(60);
  private static final Duration CANCELLATION = Duration.ofSeconds(30);

  private final ReplaySettings settings;
  private final PolicyLoader loader;
  private final WorkDirectory work;
  private final CountDownLatch stop;
  private final PrintWriter out;
  private final boolean terminal;

  /**
   * @param stop released when the replay is to stop and go on another time
   */
  ReplayRun(
      ReplaySettings settings,
      PolicyLoader loader,
      WorkDirectory work,
      CountDownLatch stop,
      PrintWriter out,
      boolean terminal) {
    this.settings = settings;
    this.loader = loader;
    this.work = work;
    this.stop = stop;
    this.out = out;
    this.terminal = terminal;
  }

  /** Where observations come from. */
  @FunctionalInterface
  interface Observations {
    PolicyJob.Resolved in(StreamExecutionEnvironment environment, JobSettings settings);
  }

  /**
   * How a run ended.
   *
   * @param finished whether every answer is there
   * @param seconds for which the job ran
   */
  record Ended(boolean finished, double seconds) {}

  /**
   * Runs to the end, or until it is stopped.
   *
   * @param total answers of the whole replay
   * @param before those that are there already
   */
  Ended execute(Observations observations, long total, long before) throws Exception {
    Ended ended = run(observations, total, before);
    if (ended.finished()) {
      // Not before the cluster is gone, which removes checkpoints, too.
      work.finish();
    }
    return ended;
  }

  private Ended run(Observations observations, long total, long before) throws Exception {
    Configuration cluster = new Configuration();
    // Accumulators, which tell how far it is, come with heartbeats.
    cluster.set(HeartbeatManagerOptions.HEARTBEAT_INTERVAL, Duration.ofSeconds(1));
    JobSettings job = ReplayJob.settings(settings);
    try (EmbeddedFlink flink = EmbeddedFlink.start(0, job.parallelism(), cluster)) {
      StreamExecutionEnvironment environment = new StreamExecutionEnvironment(new Configuration());
      Optional<String> resumed = work.lastCheckpoint();
      resumed.ifPresent(_ -> out.printf("goes on with %,d answers%n", before));
      ReplayJob.configure(environment, job, work.checkpoints(), resumed);
      PolicyJob.Answers answers = ReplayJob.answer(observations.in(environment, job), job, loader);
      ReplayJob.write(answers, work.chunks(), work.outcomes());
      settings.kafka().ifPresent(kafka -> ReplayJob.publish(answers, kafka, work.identity()));
      return await(flink, flink.submit(environment), new Watch(total, before));
    }
  }

  /** What progress is measured by. */
  private record Watch(long total, long before) {}

  private Ended await(EmbeddedFlink flink, JobClient client, Watch watch) throws Exception {
    CompletableFuture<JobExecutionResult> result = client.getJobExecutionResult();
    while (!result.isDone() && !flink.isRunning(client) && stop.getCount() > 0) {
      waitFor(result);
    }
    Instant begun = Instant.now();
    ReplayProgress progress = new ReplayProgress(out, terminal, watch.total(), watch.before());
    while (!result.isDone() && stop.getCount() > 0) {
      waitFor(result);
      progress.show(answered(client));
    }
    progress.end();
    double seconds = Duration.between(begun, Instant.now()).toNanos() / 1e9;
    if (!result.isDone()) {
      suspend(flink, client);
      return new Ended(false, seconds);
    }
    result.get();
    return new Ended(true, seconds);
  }

  private static void waitFor(CompletableFuture<JobExecutionResult> result)
      throws InterruptedException {
    try {
      result.get(POLL.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      // The caller looks whether it is done, and how.
    }
  }

  private static long answered(JobClient client) throws InterruptedException {
    try {
      Object answered = client.getAccumulators().get().get(NamedOutcomes.ANSWERED);
      return answered instanceof Long count ? count : 0;
    } catch (ExecutionException e) {
      return 0;
    }
  }

  /** Ends the job with a last checkpoint, from which it goes on. */
  private static void suspend(EmbeddedFlink flink, JobClient client) throws InterruptedException {
    try {
      flink
          .cluster()
          .triggerCheckpoint(client.getJobID(), CheckpointType.CONFIGURED)
          .get(LAST_CHECKPOINT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      // It goes on from an earlier one.
    }
    try {
      client.cancel().get(CANCELLATION.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      // It ends with its cluster.
    }
  }
}
