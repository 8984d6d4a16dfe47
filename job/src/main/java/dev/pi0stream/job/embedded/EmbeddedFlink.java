package dev.pi0stream.job.embedded;

import java.net.URI;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionJobVertex;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.minicluster.MiniClusterJobClient;
import org.apache.flink.runtime.minicluster.MiniClusterJobClient.JobFinalizationBehavior;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.util.FlinkException;

/**
 * A Flink cluster in this process: one JobManager and one TaskManager, with the REST interface and
 * the web UI on localhost. Checkpoints and temporary files live in a directory that goes when it is
 * closed.
 */
public final class EmbeddedFlink implements AutoCloseable {
  private static final Duration SHUTDOWN = Duration.ofSeconds(90);

  private final ScratchDirectory directory;
  private final MiniCluster cluster;
  private final URI webUi;

  private EmbeddedFlink(ScratchDirectory directory, MiniCluster cluster, URI webUi) {
    this.directory = directory;
    this.cluster = cluster;
    this.webUi = webUi;
  }

  /**
   * Starts a cluster.
   *
   * @param port of the web UI; 0 for any free one
   * @param slots of its TaskManager
   * @param configuration added to what an embedded cluster needs, and stronger than it
   * @throws FlinkException when it does not start, for instance because the port is taken
   */
  public static EmbeddedFlink start(int port, int slots, Configuration configuration)
      throws FlinkException {
    ScratchDirectory directory = new ScratchDirectory("pi0-flink-");
    Configuration all = defaults(port, directory);
    all.addAll(configuration);
    MiniCluster cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(all)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(slots)
                .build());
    try {
      cluster.start();
      // A cluster that is closed while its dispatcher is still starting never ends.
      cluster.listJobs().get();
      return new EmbeddedFlink(directory, cluster, cluster.getRestAddress().get());
    } catch (Exception e) {
      closeQuietly(cluster, e);
      directory.close();
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      throw new FlinkException(
          "the embedded Flink cluster does not start%s: %s"
              .formatted(port == 0 ? "" : " with its web UI on port " + port, rootMessage(e)),
          e);
    }
  }

  /**
   * What makes a cluster show its metrics to Prometheus.
   *
   * @param port where it is asked
   */
  public static Configuration prometheus(int port) {
    Configuration configuration = new Configuration();
    configuration.setString(
        "metrics.reporter.prom.factory.class",
        "org.apache.flink.metrics.prometheus.PrometheusReporterFactory");
    configuration.setString("metrics.reporter.prom.port", Integer.toString(port));
    return configuration;
  }

  /** Where the web UI is. */
  public URI webUi() {
    return webUi;
  }

  /** The cluster itself, for what tests do to one. */
  public MiniCluster cluster() {
    return cluster;
  }

  /** Submits what was built in an environment; returns as soon as the job is accepted. */
  public JobClient submit(StreamExecutionEnvironment environment) throws FlinkException {
    return submit(environment.getStreamGraph());
  }

  /** Submits a job; returns as soon as it is accepted. */
  public JobClient submit(StreamGraph graph) throws FlinkException {
    try {
      ClassLoader classes = Thread.currentThread().getContextClassLoader();
      return new MiniClusterJobClient(
          cluster.submitJob(graph.getJobGraph(classes)).get().getJobID(),
          cluster,
          classes,
          JobFinalizationBehavior.NOTHING);
    } catch (ExecutionException e) {
      throw new FlinkException("the job is not accepted: " + rootMessage(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FlinkException("interrupted while submitting the job", e);
    }
  }

  /** Whether every task of a job has opened and runs. */
  public boolean isRunning(JobClient job) throws FlinkException {
    try {
      // While a job is initialised its graph has no vertices at all.
      Collection<? extends AccessExecutionJobVertex> vertices =
          cluster.getExecutionGraph(job.getJobID()).get().getAllVertices().values();
      return !vertices.isEmpty()
          && vertices.stream()
              .allMatch(vertex -> vertex.getAggregateState() == ExecutionState.RUNNING);
    } catch (ExecutionException e) {
      throw new FlinkException("the job's state is not known: " + rootMessage(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FlinkException("interrupted while asking for the job's state", e);
    }
  }

  /** Stops the cluster, and with it every job, and removes what it stored. */
  @Override
  public void close() throws FlinkException {
    try {
      cluster.closeAsync().get(SHUTDOWN.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new FlinkException(
          "the embedded Flink cluster does not stop within %d seconds"
              .formatted(SHUTDOWN.toSeconds()),
          e);
    } catch (Exception e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      throw new FlinkException("the embedded Flink cluster does not stop: " + rootMessage(e), e);
    } finally {
      directory.close();
    }
  }

  private static Configuration defaults(int port, ScratchDirectory directory) {
    Configuration configuration = new Configuration();
    configuration.set(RestOptions.ADDRESS, "localhost");
    configuration.set(RestOptions.BIND_ADDRESS, "localhost");
    configuration.set(RestOptions.PORT, port);
    configuration.set(RestOptions.BIND_PORT, Integer.toString(port));
    configuration.set(WebOptions.SUBMIT_ENABLE, false);
    configuration.set(WebOptions.TMP_DIR, directory.subdirectory("web").toString());
    configuration.set(CoreOptions.TMP_DIRS, directory.subdirectory("tmp").toString());
    // In-flight observations carry frames: too large for checkpoints in the JobManager's memory.
    configuration.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    configuration.set(
        CheckpointingOptions.CHECKPOINTS_DIRECTORY,
        directory.subdirectory("checkpoints").toUri().toString());
    // Nothing here uses managed memory; by default it would be a large share of the heap.
    configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(16));
    configuration.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(64));
    configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(64));
    configuration.set(MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL, Duration.ofSeconds(1));
    return configuration;
  }

  private static void closeQuietly(MiniCluster cluster, Exception cause) {
    try {
      cluster.close();
    } catch (Exception e) {
      cause.addSuppressed(e);
    }
  }

  private static String rootMessage(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }
}
