package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.audit.Audit;
import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.audit.AuditSettings;
import dev.pi0stream.job.audit.Recomputation;
import dev.pi0stream.job.embedded.EmbeddedFlink;
import dev.pi0stream.job.embedded.EmbeddedKafka;
import dev.pi0stream.job.embedded.Topics;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.CheckpointType;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A broker, a cluster and a job between them, with robots at one end and a reader at the other. */
@SuppressWarnings("try") // Closing may be interrupted; the test fails with it.
final class ServedJob implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final EmbeddedKafka broker;
  private final EmbeddedFlink flink;
  private final KafkaSettings topics;
  private JobClient job;
  private final KafkaProducer<byte[], byte[]> robots;
  private final KafkaConsumer<byte[], byte[]> reader;

  /** How the records ended so far, by their offset. */
  private final Map<Long, List<End>> ends = new TreeMap<>();

  /** A chunk or an outcome; the other is null. */
  record End(ActionChunk chunk, ObservationOutcome outcome) {}

  /**
   * Starts everything.
   *
   * @param graph builds the job in an environment
   */
  ServedJob(BiConsumer<StreamExecutionEnvironment, KafkaSettings> graph) throws Exception {
    this(graph, 1, new Configuration());
  }

  /**
   * Starts everything.
   *
   * @param graph builds the job in an environment
   * @param slots of the cluster
   * @param configuration of the cluster
   */
  ServedJob(
      BiConsumer<StreamExecutionEnvironment, KafkaSettings> graph,
      int slots,
      Configuration configuration)
      throws Exception {
    broker = EmbeddedKafka.start(0);
    topics =
        KafkaSettings.defaults(broker.bootstrapServers()).startingAt(KafkaSettings.Start.EARLIEST);
    broker.createTopics(1, topics.topics().toArray(String[]::new));
    flink = EmbeddedFlink.start(0, slots, configuration);
    submit(graph, null);
    robots =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                broker.bootstrapServers(),
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                Topics.MAX_MESSAGE_BYTES,
                ProducerConfig.LINGER_MS_CONFIG,
                0),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    reader =
        new KafkaConsumer<>(
            Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        List.of(new TopicPartition(topics.chunks(), 0), new TopicPartition(topics.outcomes(), 0));
    reader.assign(partitions);
    reader.seekToBeginning(partitions);
  }

  private void submit(BiConsumer<StreamExecutionEnvironment, KafkaSettings> graph, String savepoint)
      throws Exception {
    StreamExecutionEnvironment environment = new StreamExecutionEnvironment();
    graph.accept(environment, topics);
    StreamGraph stream = environment.getStreamGraph();
    if (savepoint != null) {
      stream.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint, false));
    }
    job = flink.submit(stream);
  }

  /** Stops the job where it is, with a savepoint, and gives its place. */
  String stopWithSavepoint(Path directory) throws Exception {
    await(() -> flink.isRunning(job), () -> "the job does not run");
    String savepoint =
        flink
            .cluster()
            .triggerSavepoint(
                job.getJobID(), directory.toUri().toString(), true, SavepointFormatType.CANONICAL)
            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    await(
        () -> job.getJobStatus().get().isGloballyTerminalState(),
        () -> "the job goes on behind its savepoint",
        false);
    return savepoint;
  }

  /** Goes on from a savepoint with another job. */
  void goOn(BiConsumer<StreamExecutionEnvironment, KafkaSettings> graph, String savepoint)
      throws Exception {
    submit(graph, savepoint);
  }

  /** The broker, for what tests do to one. */
  EmbeddedKafka broker() {
    return broker;
  }

  /** Where the topics are. */
  KafkaSettings topics() {
    return topics;
  }

  /** What the broker alone says of all observations. */
  AuditReport audit() {
    return new Audit(
            new AuditSettings(topics, Optional.empty(), Optional.empty(), Duration.ofSeconds(30)))
        .run(Recomputation.none());
  }

  /** The job as it is, with its usual source and sinks. */
  static ServedJob usual(PolicyJobSettings settings) throws Exception {
    return new ServedJob(
        (environment, topics) ->
            PolicyJob.build(environment, settings.job(), topics, settings.loader()));
  }

  /** Where the broker is. */
  String bootstrapServers() {
    return broker.bootstrapServers();
  }

  /** Writes to the topic of chunks what no job would write there. */
  void forge(String robot, ActionChunk chunk) throws Exception {
    byte[] key = robot.getBytes(StandardCharsets.UTF_8);
    robots
        .send(new ProducerRecord<>(topics.chunks(), key, WireFormat.chunks().encode(chunk)))
        .get();
  }

  /** Sends an observation; returns its offset. */
  long send(RobotObservation observation) {
    return send(
        observation.getRobot().getBytes(StandardCharsets.UTF_8),
        WireFormat.observations().encode(observation));
  }

  /** Sends a record; returns its offset. */
  long send(byte[] key, byte[] value) {
    try {
      return robots.send(new ProducerRecord<>(topics.observations(), key, value)).get().offset();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Sends records without waiting for each; returns the offset of the last. */
  long sendAll(Iterable<byte[]> values) {
    Future<RecordMetadata> last = null;
    for (byte[] value : values) {
      last = robots.send(new ProducerRecord<>(topics.observations(), null, value));
    }
    try {
      return last.get().offset();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Waits until every record up to {@code offset} has an outcome, and returns what there is. */
  Map<Long, List<End>> awaitOutcomesUpTo(long offset) throws Exception {
    await(
        () -> ends.keySet().stream().filter(o -> o <= offset).count() > offset,
        () -> "%d of %d records have an outcome".formatted(ends.size(), offset + 1));
    return Collections.unmodifiableMap(ends);
  }

  /** What there is by now, by the records' offsets. */
  Map<Long, List<End>> ends() {
    return Collections.unmodifiableMap(ends);
  }

  /** Waits until a record has led to so many chunks. */
  void awaitChunks(long offset, int count) throws Exception {
    await(
        () -> chunks(ends.getOrDefault(offset, List.of())).size() >= count,
        () ->
            "record %d has ended in %s: expected %d chunks"
                .formatted(offset, ends.get(offset), count));
  }

  /** The chunks among the ends of a record. */
  static List<ActionChunk> chunks(List<End> ends) {
    return ends.stream().map(End::chunk).filter(Objects::nonNull).toList();
  }

  /** Takes a checkpoint; returns when it is complete. */
  void checkpoint() throws Exception {
    flink
        .cluster()
        .triggerCheckpoint(job.getJobID(), CheckpointType.FULL)
        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /** Waits until the tasks were started again so often, and all run. */
  void awaitRestart(int count) throws Exception {
    await(
        () -> restarts() >= count && flink.isRunning(job),
        () -> "the job does not run for the %d. time".formatted(count + 1));
  }

  /** Why a task failed at last, with its causes. */
  String failure() throws Exception {
    return flink
        .cluster()
        .getExecutionGraph(job.getJobID())
        .get()
        .getFailureInfo()
        .getExceptionAsString();
  }

  private String lastFailure() {
    try {
      return failure();
    } catch (Exception e) {
      return "none";
    }
  }

  /** The one end of a record. */
  End only(long offset) throws Exception {
    return assertThat(awaitOutcomesUpTo(offset).get(offset)).singleElement().actual();
  }

  /** How often a task of the job was started again. */
  int restarts() throws Exception {
    return StreamSupport.stream(
            flink
                .cluster()
                .getExecutionGraph(job.getJobID())
                .get()
                .getAllExecutionVertices()
                .spliterator(),
            false)
        .map(AccessExecutionVertex::getCurrentExecutionAttempt)
        .mapToInt(attempt -> attempt.getAttemptNumber())
        .max()
        .orElseThrow();
  }

  @Override
  public void close() throws Exception {
    robots.close();
    reader.close();
    if (!job.getJobStatus().get().isGloballyTerminalState()) {
      job.cancel().get();
    }
    flink.close();
    broker.close();
  }

  /** Reads what the job writes until a condition holds. */
  void await(Callable<Boolean> condition, Supplier<String> otherwise) throws Exception {
    await(condition, otherwise, true);
  }

  private void await(Callable<Boolean> condition, Supplier<String> otherwise, boolean running)
      throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.call()) {
      if (running) {
        assertThat(job.getJobStatus().get())
            .as(otherwise)
            .isNotIn(JobStatus.FAILED, JobStatus.CANCELED);
      }
      assertThat(System.nanoTime())
          .as(
              () ->
                  "after %s %s; last failure: %s"
                      .formatted(PATIENCE, otherwise.get(), lastFailure()))
          .isLessThan(end);
      poll();
    }
  }

  private void poll() throws WireException {
    for (ConsumerRecord<byte[], byte[]> record : reader.poll(Duration.ofMillis(100))) {
      if (record.topic().equals(topics.chunks())) {
        ActionChunk chunk = WireFormat.chunks().decode(record.value());
        assertThat(record.key()).isEqualTo(chunk.getRobot().getBytes(StandardCharsets.UTF_8));
        end(chunk.getSourceOffset(), new End(chunk, null));
      } else {
        ObservationOutcome outcome = WireFormat.outcomes().decode(record.value());
        end(outcome.getSourceOffset(), new End(null, outcome));
      }
    }
  }

  private void end(long offset, End end) {
    ends.computeIfAbsent(offset, _ -> new ArrayList<>()).add(end);
  }
}
