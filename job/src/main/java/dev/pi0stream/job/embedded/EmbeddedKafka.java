package dev.pi0stream.job.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * A Kafka broker in this process: one KRaft node that is broker and controller, on localhost, with
 * its logs in a temporary directory that goes when it is closed.
 *
 * <p>The largest message it takes is 64 MiB, as observations carry camera frames; of each partition
 * it keeps about the last GiB.
 */
public final class EmbeddedKafka implements AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = Topics.MAX_MESSAGE_BYTES;
  private static final long RETENTION_BYTES = 1L << 30;

  /** Hardly anything here is compacted; by default this would be 128 MiB of the heap. */
  private static final int CLEANER_BYTES = 4 << 20;

  private static final int NODE = 1;
  private static final String CONTROLLER_LISTENER = "CONTROLLER";

  private final ScratchDirectory directory;
  private final Map<String, String> settings;
  private final int port;
  private KafkaRaftServer server;

  private EmbeddedKafka(
      ScratchDirectory directory, Map<String, String> settings, KafkaRaftServer server, int port) {
    this.directory = directory;
    this.settings = settings;
    this.server = server;
    this.port = port;
  }

  /**
   * Starts a broker.
   *
   * @param port where clients reach it; 0 for any free one
   * @throws KafkaException when it does not start, for instance because the port is taken
   */
  public static EmbeddedKafka start(int port) {
    ScratchDirectory directory = new ScratchDirectory("pi0-kafka-");
    try {
      Ports ports = Ports.choose(port);
      Path logs = directory.subdirectory("logs");
      format(logs);
      Map<String, String> settings = settings(ports, logs);
      return new EmbeddedKafka(directory, settings, server(settings), ports.broker());
    } catch (RuntimeException e) {
      directory.close();
      throw new KafkaException(
          "the embedded Kafka broker does not start%s: %s"
              .formatted(port == 0 ? "" : " on port " + port, e.getMessage()),
          e);
    }
  }

  private static KafkaRaftServer server(Map<String, String> settings) {
    KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(settings, false), Time.SYSTEM);
    try {
      server.startup();
      return server;
    } catch (RuntimeException e) {
      server.shutdown();
      throw e;
    }
  }

  /** Stops the broker and keeps what it stored, until {@link #startAgain} or {@link #close}. */
  public void stop() {
    server.shutdown();
    server.awaitShutdown();
  }

  /** Starts a broker that was stopped, at the same port and with what it stored. */
  public void startAgain() {
    server = server(settings);
  }

  /** Host and port for clients. */
  public String bootstrapServers() {
    return "localhost:" + port;
  }

  public int port() {
    return port;
  }

  /** Creates those of the topics that do not exist yet. */
  public void createTopics(int partitions, String... names) {
    Topics.create(bootstrapServers(), Topics.Shape.ofPartitions(partitions), List.of(names));
  }

  /** Where the broker keeps its logs. */
  Path directory() {
    return directory.path();
  }

  /** Stops the broker and removes all it stored. */
  @Override
  public void close() {
    stop();
    directory.close();
  }

  private static void format(Path logs) {
    try {
      new Formatter()
          .setClusterId(Uuid.randomUuid().toString())
          .setNodeId(NODE)
          .addDirectory(logs.toString())
          .setMetadataLogDirectory(logs.toString())
          .setControllerListenerName(CONTROLLER_LISTENER)
          .setIgnoreFormatted(true)
          .setPrintStream(
              new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
          .run();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new KafkaException("cannot format " + logs + ": " + e.getMessage(), e);
    }
  }

  private static Map<String, String> settings(Ports ports, Path logs) {
    Map<String, String> settings = new HashMap<>();
    settings.put("process.roles", "broker,controller");
    settings.put("node.id", Integer.toString(NODE));
    settings.put("controller.quorum.voters", NODE + "@localhost:" + ports.controller());
    settings.put("controller.listener.names", CONTROLLER_LISTENER);
    settings.put(
        "listeners",
        "PLAINTEXT://localhost:%d,%s://localhost:%d"
            .formatted(ports.broker(), CONTROLLER_LISTENER, ports.controller()));
    settings.put("advertised.listeners", "PLAINTEXT://localhost:" + ports.broker());
    settings.put(
        "listener.security.protocol.map",
        "PLAINTEXT:PLAINTEXT,%s:PLAINTEXT".formatted(CONTROLLER_LISTENER));
    settings.put("log.dirs", logs.toString());
    settings.put("default.replication.factor", "1");
    settings.put("min.insync.replicas", "1");
    settings.put("offsets.topic.replication.factor", "1");
    settings.put("offsets.topic.num.partitions", "1");
    settings.put("transaction.state.log.replication.factor", "1");
    settings.put("transaction.state.log.min.isr", "1");
    settings.put("transaction.state.log.num.partitions", "1");
    settings.put("share.coordinator.state.topic.replication.factor", "1");
    settings.put("share.coordinator.state.topic.min.isr", "1");
    settings.put("share.coordinator.state.topic.num.partitions", "1");
    settings.put("group.initial.rebalance.delay.ms", "0");
    settings.put("auto.create.topics.enable", "false");
    settings.put("message.max.bytes", Integer.toString(MAX_MESSAGE_BYTES));
    settings.put("replica.fetch.max.bytes", Integer.toString(MAX_MESSAGE_BYTES));
    // Frames fill a disk: what was read long ago goes, file by file.
    settings.put("log.retention.bytes", Long.toString(RETENTION_BYTES));
    settings.put("log.retention.check.interval.ms", "10000");
    settings.put("log.segment.delete.delay.ms", "1000");
    settings.put("log.segment.bytes", Integer.toString(2 * MAX_MESSAGE_BYTES));
    settings.put("log.cleaner.dedupe.buffer.size", Integer.toString(CLEANER_BYTES));
    return settings;
  }

  /** Two ports that differ; both sockets are held until both are known. */
  private record Ports(int broker, int controller) {
    static Ports choose(int broker) {
      InetAddress here = InetAddress.getLoopbackAddress();
      try (ServerSocket first = new ServerSocket(broker, 1, here);
          ServerSocket second = new ServerSocket(0, 1, here)) {
        return new Ports(first.getLocalPort(), second.getLocalPort());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
