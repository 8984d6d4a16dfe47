package dev.pi0stream.job.run;

import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ContainerFile;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.RecordedObservation;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Records the three topics: folders {@code observations}, {@code chunks} and {@code outcomes} of
 * Avro container files, one for each partition, in the order of its offsets. Observations are kept
 * as they were sent, whether they can be read or not.
 */
public final class Recorder implements AutoCloseable {
  private static final Duration REQUEST = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(20);

  private final KafkaSettings kafka;
  private final Path directory;
  private final WireFormat<ActionChunk> chunks = WireFormat.chunks();
  private final WireFormat<ObservationOutcome> outcomes = WireFormat.outcomes();
  private final Map<TopicPartition, DataFileWriter<?>> files = new HashMap<>();
  private final TopicReader reader;
  private volatile Exception failure;

  /**
   * Begins to record.
   *
   * @param directory an empty one, or none yet
   * @param from where to begin
   * @param failures is told when recording ended before it was closed
   * @throws IllegalArgumentException when the directory holds something
   */
  private Recorder(
      KafkaSettings kafka,
      Path directory,
      Map<TopicPartition, Long> from,
      Consumer<Exception> failures)
      throws IOException {
    this.kafka = kafka;
    this.directory = directory;
    requireEmpty(directory);
    for (String folder : List.of("observations", "chunks", "outcomes")) {
      Files.createDirectories(directory.resolve(folder));
    }
    reader =
        new TopicReader(
            "pi0-record",
            kafka.bootstrapServers(),
            from,
            this::write,
            e -> {
              failure = e;
              failures.accept(e);
            });
  }

  /** Records what comes from now on. */
  static Recorder fromNow(KafkaSettings kafka, Path directory, Consumer<Exception> failures)
      throws IOException {
    return new Recorder(kafka, directory, ends(kafka), failures);
  }

  /**
   * Records what the topics hold, up to where they end now.
   *
   * @param since the earliest record, by its time; null for all that the broker still has
   */
  public static void range(KafkaSettings kafka, Path directory, Instant since) throws Exception {
    Map<TopicPartition, Long> ends = ends(kafka);
    try (Recorder recorder = new Recorder(kafka, directory, starts(kafka, since, ends), _ -> {})) {
      recorder.await(ends);
    }
  }

  /** Refuses a directory that holds something. */
  public static void requireEmpty(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> entries = Files.list(directory)) {
      if (entries.findAny().isPresent()) {
        throw new IllegalArgumentException(
            "%s is not empty: expected a folder for a recording that is, or none"
                .formatted(directory));
      }
    }
  }

  /** Waits until all that is on the topics now is recorded. */
  void await() throws Exception {
    await(ends(kafka));
  }

  private void await(Map<TopicPartition, Long> ends) throws Exception {
    while (!reader.hasReached(ends)) {
      if (failure != null) {
        throw failure;
      }
      Thread.sleep(POLL);
    }
  }

  /** Ends the recording; its files are whole then. */
  @Override
  public void close() {
    reader.close();
    try {
      for (DataFileWriter<?> file : files.values()) {
        file.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(ConsumerRecord<byte[], byte[]> message, Instant readAt)
      throws IOException, WireException {
    if (message.topic().equals(kafka.observations())) {
      file(message, "observations", ContainerFile.observations())
          .append(
              RecordedObservation.newBuilder()
                  .setTopic(message.topic())
                  .setPartition(message.partition())
                  .setOffset(message.offset())
                  .setTimestamp(message.timestamp())
                  .setValue(message.value() == null ? null : ByteBuffer.wrap(message.value()))
                  .build());
    } else if (message.topic().equals(kafka.chunks())) {
      file(message, "chunks", ContainerFile.chunks()).append(chunks.decode(message.value()));
    } else {
      file(message, "outcomes", ContainerFile.outcomes()).append(outcomes.decode(message.value()));
    }
  }

  @SuppressWarnings("unchecked") // A partition's file has its topic's records.
  private <T extends SpecificRecordBase> DataFileWriter<T> file(
      ConsumerRecord<byte[], byte[]> message, String folder, ContainerFile<T> format)
      throws IOException {
    TopicPartition partition = new TopicPartition(message.topic(), message.partition());
    DataFileWriter<T> file = (DataFileWriter<T>) files.get(partition);
    if (file == null) {
      file =
          format.create(
              Files.newOutputStream(
                  directory
                      .resolve(folder)
                      .resolve("partition-%03d.avro".formatted(message.partition()))));
      files.put(partition, file);
    }
    return file;
  }

  private static Map<TopicPartition, Long> ends(KafkaSettings kafka) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        TopicReader.consumer(kafka.bootstrapServers(), Map.of())) {
      return consumer.endOffsets(partitions(consumer, kafka), REQUEST);
    }
  }

  private static Map<TopicPartition, Long> starts(
      KafkaSettings kafka, Instant since, Map<TopicPartition, Long> ends) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        TopicReader.consumer(kafka.bootstrapServers(), Map.of())) {
      if (since == null) {
        return consumer.beginningOffsets(ends.keySet(), REQUEST);
      }
      Map<TopicPartition, Long> times = new HashMap<>();
      ends.keySet().forEach(partition -> times.put(partition, since.toEpochMilli()));
      Map<TopicPartition, Long> starts = new HashMap<>(ends);
      for (Map.Entry<TopicPartition, OffsetAndTimestamp> start :
          consumer.offsetsForTimes(times, REQUEST).entrySet()) {
        if (start.getValue() != null) {
          starts.put(start.getKey(), start.getValue().offset());
        }
      }
      return starts;
    }
  }

  private static Collection<TopicPartition> partitions(
      KafkaConsumer<byte[], byte[]> consumer, KafkaSettings kafka) {
    return Stream.of(kafka.observations(), kafka.chunks(), kafka.outcomes())
        .flatMap(
            topic -> {
              List<PartitionInfo> partitions = consumer.partitionsFor(topic, REQUEST);
              if (partitions == null || partitions.isEmpty()) {
                throw new KafkaException("the broker has no topic " + topic);
              }
              return partitions.stream();
            })
        .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
        .toList();
  }
}
