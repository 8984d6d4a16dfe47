package dev.pi0stream.job.run;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads partitions on a thread of its own, from given offsets until it is closed. */
public final class TopicReader implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration REQUEST = Duration.ofSeconds(10);

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final RecordHandler handler;
  private final Consumer<Exception> failures;
  private final Map<TopicPartition, Long> positions = new ConcurrentHashMap<>();
  private final Thread thread;

  /** Takes the records of a reader. */
  @FunctionalInterface
  public interface RecordHandler {
    /**
     * Takes one record.
     *
     * @param readAt when it could be had from the broker
     */
    void handle(ConsumerRecord<byte[], byte[]> message, Instant readAt) throws Exception;
  }

  /**
   * Starts to read.
   *
   * @param from the partitions and where to begin
   * @param failures is told when reading ended before it was closed
   */
  public TopicReader(
      String name,
      String bootstrapServers,
      Map<TopicPartition, Long> from,
      RecordHandler handler,
      Consumer<Exception> failures) {
    this.handler = handler;
    this.failures = failures;
    consumer = consumer(bootstrapServers, Map.of());
    consumer.assign(from.keySet());
    from.forEach(consumer::seek);
    positions.putAll(from);
    thread = Thread.ofPlatform().name(name).daemon().start(this::read);
  }

  /** A consumer that begins nowhere by itself and commits nothing. */
  public static KafkaConsumer<byte[], byte[]> consumer(
      String bootstrapServers, Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>();
    settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.putAll(more);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /**
   * Where topics end now.
   *
   * @throws KafkaException when the broker lacks one, or does not answer
   */
  public static Map<TopicPartition, Long> ends(
      KafkaConsumer<byte[], byte[]> consumer, Collection<String> topics) {
    Map<TopicPartition, Long> ends = new HashMap<>();
    for (String topic : topics) {
      List<PartitionInfo> partitions = consumer.partitionsFor(topic, REQUEST);
      if (partitions == null || partitions.isEmpty()) {
        throw new KafkaException("the broker has no topic " + topic);
      }
      ends.putAll(
          consumer.endOffsets(
              partitions.stream().map(p -> new TopicPartition(p.topic(), p.partition())).toList(),
              REQUEST));
    }
    return ends;
  }

  /** Whether everything before these offsets was handled. */
  boolean hasReached(Map<TopicPartition, Long> ends) {
    return ends.entrySet().stream()
        .allMatch(end -> positions.getOrDefault(end.getKey(), 0L) >= end.getValue());
  }

  /** The partitions that it reads. */
  Collection<TopicPartition> partitions() {
    return positions.keySet();
  }

  @Override
  public void close() {
    consumer.wakeup();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void read() {
    try (consumer) {
      while (true) {
        ConsumerRecords<byte[], byte[]> messages = consumer.poll(POLL);
        Instant readAt = Instant.now();
        for (ConsumerRecord<byte[], byte[]> message : messages) {
          handler.handle(message, readAt);
        }
        for (TopicPartition partition : messages.partitions()) {
          positions.put(partition, consumer.position(partition));
        }
      }
    } catch (WakeupException | InterruptException e) {
      // Closed.
    } catch (Exception e) {
      failures.accept(e);
    }
  }
}
