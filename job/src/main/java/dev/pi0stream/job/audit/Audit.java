package dev.pi0stream.job.audit;

import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.run.TopicReader;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Reads the three topics with a consumer of its own, in no group, and has an {@link Auditor} judge
 * them: first the observations of the range, then all answers that there are by then.
 */
public final class Audit {
  private static final Duration REQUEST = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(200);

  /** A partition that gives nothing for so long is not readable, or its end is a gap. */
  private static final Duration SILENCE = Duration.ofSeconds(20);

  /** Answers are as old as their observations or newer, by clocks that differ by less than this. */
  private static final Duration CLOCKS_DIFFER = Duration.ofMinutes(10);

  private final AuditSettings settings;

  /** An audit of what is on a broker. */
  public Audit(AuditSettings settings) {
    this.settings = settings;
  }

  /**
   * Audits.
   *
   * @param recomputation is shown all observations and asked for their actions in the end
   * @throws KafkaException when the broker or a topic cannot be read
   */
  public AuditReport run(Recomputation recomputation) {
    KafkaSettings kafka = settings.kafka();
    try (KafkaConsumer<byte[], byte[]> consumer =
        TopicReader.consumer(kafka.bootstrapServers(), Map.of())) {
      List<TopicPartition> observations =
          partitions(consumer, kafka.bootstrapServers(), kafka.observations());
      Map<TopicPartition, Long> begin = consumer.beginningOffsets(observations, REQUEST);
      Map<TopicPartition, Long> from =
          settings.from().map(time -> at(consumer, observations, time)).orElse(begin);
      Map<TopicPartition, Long> to =
          settings
              .to()
              .map(time -> at(consumer, observations, time))
              .orElseGet(() -> consumer.endOffsets(observations, REQUEST));
      boolean complete = from.values().stream().allMatch(offset -> offset == 0);
      Auditor auditor =
          new Auditor(
              complete,
              source -> {
                TopicPartition partition = new TopicPartition(source.topic(), source.partition());
                return to.containsKey(partition)
                    && (source.offset() < from.get(partition)
                        || source.offset() >= to.get(partition));
              });
      recomputation.expect(
          to.entrySet().stream()
              .mapToLong(end -> Math.max(0, end.getValue() - from.get(end.getKey())))
              .sum());
      read(
          consumer,
          from,
          to,
          message ->
              auditor
                  .observed(new SourceRecord(place(message), message.timestamp(), message.value()))
                  .ifPresent(recomputation::offer));
      readAnswers(consumer, auditor);
      // What came meanwhile may have superseded what is audited.
      read(
          consumer,
          to,
          consumer.endOffsets(observations, REQUEST),
          message ->
              auditor.sentLater(
                  new SourceRecord(place(message), message.timestamp(), message.value())));
      recomputation.run(auditor);
      return auditor.report();
    }
  }

  private void readAnswers(KafkaConsumer<byte[], byte[]> consumer, Auditor auditor) {
    KafkaSettings kafka = settings.kafka();
    List<TopicPartition> answers =
        List.of(kafka.chunks(), kafka.outcomes()).stream()
            .flatMap(topic -> partitions(consumer, kafka.bootstrapServers(), topic).stream())
            .toList();
    Map<TopicPartition, Long> from =
        settings
            .from()
            .map(time -> at(consumer, answers, time.minus(CLOCKS_DIFFER)))
            .orElseGet(() -> consumer.beginningOffsets(answers, REQUEST));
    Consumer<ConsumerRecord<byte[], byte[]>> judge =
        message -> {
          if (message.topic().equals(kafka.chunks())) {
            auditor.delivered(place(message), message.key(), message.value());
          } else {
            auditor.ended(place(message), message.key(), message.value());
          }
        };
    read(consumer, from, consumer.endOffsets(answers, REQUEST), judge);
    Instant latest = Instant.now().plus(settings.patience());
    while (!auditor.missing().isEmpty() && Instant.now().isBefore(latest)) {
      poll(consumer).forEach(judge);
    }
  }

  /** Reads partitions up to their ends. */
  private static void read(
      KafkaConsumer<byte[], byte[]> consumer,
      Map<TopicPartition, Long> from,
      Map<TopicPartition, Long> to,
      Consumer<ConsumerRecord<byte[], byte[]>> handler) {
    consumer.assign(from.keySet());
    from.forEach(consumer::seek);
    BooleanSupplier isAtTheEnd =
        () ->
            to.entrySet().stream()
                .allMatch(
                    end ->
                        from.get(end.getKey()) >= end.getValue()
                            || consumer.position(end.getKey(), REQUEST) >= end.getValue());
    Instant heard = Instant.now();
    while (!isAtTheEnd.getAsBoolean()) {
      for (ConsumerRecord<byte[], byte[]> message : poll(consumer)) {
        heard = Instant.now();
        if (message.offset() < to.get(new TopicPartition(message.topic(), message.partition()))) {
          handler.accept(message);
        }
      }
      if (Duration.between(heard, Instant.now()).compareTo(SILENCE) > 0) {
        throw new KafkaException(
            "the broker gave nothing of %s for %d seconds before their ends"
                .formatted(from.keySet(), SILENCE.toSeconds()));
      }
    }
    // What was read beyond the ends is read again by who goes on.
    to.forEach((partition, end) -> consumer.seek(partition, Math.max(end, from.get(partition))));
  }

  private static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer) {
    try {
      return consumer.poll(POLL);
    } catch (OffsetOutOfRangeException e) {
      throw new KafkaException(
          "the broker has removed records of %s while they were audited: expected a retention that keeps them, or a later --from"
              .formatted(e.partitions()),
          e);
    }
  }

  private static List<TopicPartition> partitions(
      KafkaConsumer<byte[], byte[]> consumer, String bootstrapServers, String topic) {
    List<PartitionInfo> partitions;
    try {
      partitions = consumer.partitionsFor(topic, REQUEST);
    } catch (TimeoutException e) {
      throw new KafkaException(
          "the Kafka broker %s does not answer within %d seconds"
              .formatted(bootstrapServers, REQUEST.toSeconds()),
          e);
    }
    if (partitions == null || partitions.isEmpty()) {
      throw new KafkaException("the broker has no topic " + topic);
    }
    return partitions.stream().map(p -> new TopicPartition(p.topic(), p.partition())).toList();
  }

  /** The first records that are as old as a time or newer; the ends where there are none. */
  private static Map<TopicPartition, Long> at(
      KafkaConsumer<byte[], byte[]> consumer, Collection<TopicPartition> partitions, Instant time) {
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(partition -> times.put(partition, Math.max(0, time.toEpochMilli())));
    Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(times, REQUEST);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, REQUEST);
    Map<TopicPartition, Long> offsets = new HashMap<>();
    for (TopicPartition partition : partitions) {
      OffsetAndTimestamp first = found.get(partition);
      offsets.put(partition, first == null ? ends.get(partition) : first.offset());
    }
    return offsets;
  }

  private static SourcePosition place(ConsumerRecord<byte[], byte[]> message) {
    return new SourcePosition(message.topic(), message.partition(), message.offset());
  }
}
