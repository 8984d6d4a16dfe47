package dev.pi0stream.tests.cluster;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.flink.client.deployment.StandaloneClusterId;
import org.apache.flink.client.program.rest.RestClusterClient;
import org.apache.flink.configuration.Configuration;

/**
 * A Flink cluster of processes of their own: a JobManager, and TaskManagers that may be killed.
 * Uses the class path of the tests, so that jobs find their classes there.
 */
@SuppressWarnings("try") // Closing may be interrupted; the test fails with it.
final class ProcessCluster implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(2);
  private static final String JOB_MANAGER =
      "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint";
  private static final String TASK_MANAGER =
      "org.apache.flink.runtime.taskexecutor.TaskManagerRunner";

  private final Path directory;
  private final Configuration configuration;
  private final List<Process> taskManagers = new ArrayList<>();
  private final Process jobManager;
  private final RestClusterClient<StandaloneClusterId> client;

  /**
   * Starts a JobManager.
   *
   * @param directory for configuration, logs and checkpoints
   */
  ProcessCluster(Path directory) throws Exception {
    this.directory = directory;
    Map<String, String> settings = settings(directory);
    Files.writeString(
        directory.resolve("config.yaml"),
        settings.entrySet().stream()
            .map(setting -> setting.getKey() + ": " + setting.getValue() + "\n")
            .collect(Collectors.joining()));
    configuration = Configuration.fromMap(settings);
    jobManager = start(JOB_MANAGER, "jobmanager", "256m");
    client = new RestClusterClient<>(configuration, StandaloneClusterId.getInstance());
  }

  /** For jobs. */
  RestClusterClient<StandaloneClusterId> client() {
    return client;
  }

  /** Starts a TaskManager with one slot. */
  Process startTaskManager() throws IOException {
    Process taskManager = start(TASK_MANAGER, "taskmanager-" + taskManagers.size(), "512m");
    taskManagers.add(taskManager);
    return taskManager;
  }

  /** Waits until so many TaskManagers are registered. */
  void awaitTaskManagers(int count) throws Exception {
    long end = System.nanoTime() + START.toNanos();
    while (registered() != count) {
      if (System.nanoTime() > end) {
        throw new AssertionError(
            "%d of %d TaskManagers after %s; logs are in %s"
                .formatted(registered(), count, START, directory));
      }
      Thread.sleep(200);
    }
  }

  /** {@code kill -9}: nothing of it is closed, flushed or said. */
  static void kill(Process process) throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  private long registered() throws Exception {
    if (!jobManager.isAlive()) {
      throw new AssertionError("the JobManager has ended; logs are in " + directory);
    }
    try {
      return client.getClusterOverview().get(10, TimeUnit.SECONDS).getNumTaskManagersConnected();
    } catch (ExecutionException | TimeoutException e) {
      return 0; // It is still starting.
    }
  }

  private Process start(String main, String name, String heap) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx" + heap,
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            main,
            "--configDir",
            directory.toString()));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve(name + ".log").toFile())
        .start();
  }

  private static Map<String, String> settings(Path directory) throws IOException {
    Map<String, String> settings = new TreeMap<>();
    settings.put("jobmanager.rpc.address", "localhost");
    settings.put("jobmanager.rpc.port", Integer.toString(freePort()));
    settings.put("rest.address", "localhost");
    settings.put("rest.port", Integer.toString(freePort()));
    settings.put("rest.bind-address", "localhost");
    settings.put("taskmanager.host", "localhost");
    settings.put("taskmanager.numberOfTaskSlots", "1");
    // A TaskManager that is started without Flink's scripts has to be told all of its memory.
    settings.put("taskmanager.cpu.cores", "1");
    settings.put("taskmanager.memory.framework.heap.size", "128m");
    settings.put("taskmanager.memory.framework.off-heap.size", "128m");
    settings.put("taskmanager.memory.task.heap.size", "384m");
    settings.put("taskmanager.memory.task.off-heap.size", "0m");
    settings.put("taskmanager.memory.managed.size", "16m");
    settings.put("taskmanager.memory.network.min", "64m");
    settings.put("taskmanager.memory.network.max", "64m");
    settings.put("taskmanager.memory.jvm-metaspace.size", "256m");
    settings.put("taskmanager.memory.jvm-overhead.min", "64m");
    settings.put("taskmanager.memory.jvm-overhead.max", "64m");
    settings.put("heartbeat.interval", "1s");
    settings.put("heartbeat.timeout", "5s");
    settings.put("execution.checkpointing.storage", "filesystem");
    settings.put(
        "execution.checkpointing.dir", directory.resolve("checkpoints").toUri().toString());
    settings.put("io.tmp.dirs", Files.createDirectory(directory.resolve("tmp")).toString());
    return settings;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void close() throws InterruptedException {
    client.close();
    for (Process taskManager : taskManagers) {
      kill(taskManager);
    }
    kill(jobManager);
  }
}
