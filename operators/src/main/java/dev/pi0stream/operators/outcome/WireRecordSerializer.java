package dev.pi0stream.operators.outcome;

import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Writes wire records to one topic, partitioned by their key. */
public final class WireRecordSerializer implements KafkaRecordSerializationSchema<WireRecord> {
  private static final long serialVersionUID = 1L;

  private final String topic;

  public WireRecordSerializer(String topic) {
    this.topic = topic;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      WireRecord record, KafkaSinkContext context, Long timestamp) {
    // Flink's timestamp would be the observation's; the broker's clients expect the record's own.
    return new ProducerRecord<>(topic, record.key(), record.value());
  }
}
