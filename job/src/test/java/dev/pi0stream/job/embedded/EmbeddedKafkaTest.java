package dev.pi0stream.job.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

class EmbeddedKafkaTest {
  @Test
  void whatIsSentIsReadAndTheDirectoryGoesAtTheEnd() throws Exception {
    Path directory;
    byte[] large = new byte[5 << 20];
    large[large.length - 1] = 7;
    try (EmbeddedKafka kafka = EmbeddedKafka.start(0)) {
      kafka.createTopics(2, "observations");
      kafka.createTopics(2, "observations", "chunks");
      directory = kafka.directory();
      assertThat(directory).isDirectory();
      try (KafkaProducer<byte[], byte[]> producer =
          new KafkaProducer<>(
              Map.of(
                  "bootstrap.servers",
                  kafka.bootstrapServers(),
                  "max.request.size",
                  Topics.MAX_MESSAGE_BYTES),
              new ByteArraySerializer(),
              new ByteArraySerializer())) {
        producer
            .send(
                new ProducerRecord<>(
                    "observations", 1, "arm".getBytes(StandardCharsets.UTF_8), large))
            .get();
      }
      ConsumerRecord<byte[], byte[]> read = readOne(kafka, new TopicPartition("observations", 1));
      assertThat(read.key()).isEqualTo("arm".getBytes(StandardCharsets.UTF_8));
      assertThat(read.value()).isEqualTo(large);
    }
    assertThat(directory).doesNotExist();
  }

  @Test
  void aPortThatIsTakenIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> EmbeddedKafka.start(taken.getLocalPort()))
          .isInstanceOf(KafkaException.class)
          .hasMessageContaining("on port " + taken.getLocalPort())
          .hasMessageContaining("in use");
    }
  }

  private static ConsumerRecord<byte[], byte[]> readOne(
      EmbeddedKafka kafka, TopicPartition partition) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
      Instant end = Instant.now().plusSeconds(10);
      while (records.isEmpty() && Instant.now().isBefore(end)) {
        consumer.poll(Duration.ofMillis(100)).forEach(records::add);
      }
      assertThat(records).hasSize(1);
      return records.getFirst();
    }
  }
}
