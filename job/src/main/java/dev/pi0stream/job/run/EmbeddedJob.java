package dev.pi0stream.job.run;

import dev.pi0stream.job.embedded.EmbeddedFlink;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.FlinkException;

/** A job on the cluster of this process. */
final class EmbeddedJob implements ServingJob {
  private static final Duration CANCELLATION = Duration.ofSeconds(30);

  private final EmbeddedFlink flink;
  private final JobClient job;
  private volatile boolean ending;

  /**
   * Starts what an environment holds.
   *
   * @param failures is told when the job fails
   */
  EmbeddedJob(
      EmbeddedFlink flink, StreamExecutionEnvironment environment, Consumer<Throwable> failures)
      throws Exception {
    this.flink = flink;
    job = flink.submit(environment);
    var _ =
        job.getJobExecutionResult()
            .whenComplete(
                (_, cause) -> {
                  if (cause != null && !ending) {
                    failures.accept(cause);
                  }
                });
  }

  @Override
  public boolean isRunning() throws FlinkException {
    return flink.isRunning(job);
  }

  @Override
  public boolean hasEnded() {
    return job.getJobExecutionResult().isDone();
  }

  @Override
  public void end() throws InterruptedException {
    ending = true;
    try {
      job.cancel().get(CANCELLATION.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      // It has ended by itself, or ends with its cluster.
    }
  }
}
