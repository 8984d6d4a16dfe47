package dev.pi0stream.job.run;

import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Keeps a {@link Ledger} from the three topics, with plain consumers of its own: neither what the
 * robots believe to have sent nor what Flink believes to have done counts. Begins where the topics
 * end when it is opened.
 */
final class Bookkeeping implements AutoCloseable {
  private static final Duration REQUEST = Duration.ofSeconds(10);

  private final KafkaSettings kafka;
  private final Ledger ledger;
  private final Map<TopicPartition, Long> begin;
  private final WireFormat<RobotObservation> observations = WireFormat.observations();
  private final WireFormat<ActionChunk> chunks = WireFormat.chunks();
  private final WireFormat<ObservationOutcome> outcomes = WireFormat.outcomes();
  private final TopicReader observationReader;
  private final TopicReader answerReader;
  private volatile boolean failed;

  /**
   * Opens the books.
   *
   * @param failures is told when a topic cannot be read any more
   */
  Bookkeeping(KafkaSettings kafka, Ledger ledger, Consumer<Exception> failures) {
    this.kafka = kafka;
    this.ledger = ledger;
    Consumer<Exception> failing =
        failure -> {
          failed = true;
          failures.accept(failure);
        };
    Map<TopicPartition, Long> answered;
    try (KafkaConsumer<byte[], byte[]> consumer =
        TopicReader.consumer(kafka.bootstrapServers(), Map.of())) {
      begin = TopicReader.ends(consumer, List.of(kafka.observations()));
      answered = TopicReader.ends(consumer, List.of(kafka.chunks(), kafka.outcomes()));
    }
    observationReader =
        new TopicReader(
            "pi0-ledger-observations", kafka.bootstrapServers(), begin, this::observation, failing);
    answerReader =
        new TopicReader(
            "pi0-ledger-answers", kafka.bootstrapServers(), answered, this::answer, failing);
  }

  /** Lets the job's consumer group begin where the books do. */
  void letJobBeginHere() {
    try (KafkaConsumer<byte[], byte[]> consumer =
        TopicReader.consumer(
            kafka.bootstrapServers(), Map.of(ConsumerConfig.GROUP_ID_CONFIG, kafka.group()))) {
      consumer.commitSync(
          begin.entrySet().stream()
              .collect(
                  Collectors.toMap(
                      Map.Entry::getKey, end -> new OffsetAndMetadata(end.getValue()))),
          REQUEST);
    }
  }

  /** Where the observations topic ends now. */
  Map<TopicPartition, Long> end() {
    try (KafkaConsumer<byte[], byte[]> consumer =
        TopicReader.consumer(kafka.bootstrapServers(), Map.of())) {
      return consumer.endOffsets(observationReader.partitions(), REQUEST);
    }
  }

  /** Whether every observation before this end is in the books and has its outcome. */
  boolean isSettled(Map<TopicPartition, Long> end) {
    return observationReader.hasReached(end) && ledger.summary().missing() == 0;
  }

  /** Whether a topic could not be read to its end. */
  boolean haveFailed() {
    return failed;
  }

  @Override
  public void close() {
    observationReader.close();
    answerReader.close();
  }

  private void observation(ConsumerRecord<byte[], byte[]> message, Instant readAt) {
    ledger.observed(
        new SourcePosition(message.topic(), message.partition(), message.offset()),
        id(message.value()));
  }

  /** Whose observation it is; null when nobody can tell. */
  private ObservationId id(byte[] value) {
    if (value == null) {
      return null;
    }
    try {
      RobotObservation observation = observations.decode(value);
      return new ObservationId(
          observation.getRobot(), observation.getEpisode(), observation.getSequence());
    } catch (WireException e) {
      return null;
    }
  }

  private void answer(ConsumerRecord<byte[], byte[]> message, Instant readAt) throws WireException {
    if (message.topic().equals(kafka.chunks())) {
      ledger.answered(chunks.decode(message.value()), readAt);
    } else {
      ledger.answered(outcomes.decode(message.value()));
    }
  }
}
