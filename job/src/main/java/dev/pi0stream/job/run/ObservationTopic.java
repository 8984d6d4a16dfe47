package dev.pi0stream.job.run;

import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends observations to their topic, each at once; used by all players together. */
public final class ObservationTopic implements ObservationSink, AutoCloseable {
  private static final long BUFFER_BYTES = 256L << 20;
  private static final Duration LAST_SENDS = Duration.ofSeconds(60);

  private final String topic;
  private final WireFormat<RobotObservation> format = WireFormat.observations();
  private final KafkaProducer<byte[], byte[]> producer;
  private final Consumer<Exception> failures;

  /**
   * A way to a topic.
   *
   * @param failures is told when the broker did not take an observation
   */
  public ObservationTopic(String bootstrapServers, String topic, Consumer<Exception> failures) {
    this.topic = topic;
    this.failures = failures;
    Map<String, Object> settings = new HashMap<>();
    settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, "pi0-robots");
    // A frame is old when it waits for company.
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, WireFormat.MAX_MESSAGE_BYTES);
    settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER_BYTES);
    producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  @Override
  public void send(RobotObservation observation) {
    byte[] key = observation.getRobot().getBytes(StandardCharsets.UTF_8);
    var _ =
        producer.send(
            new ProducerRecord<>(topic, key, format.encode(observation)),
            (_, failure) -> {
              if (failure != null) {
                failures.accept(
                    new KafkaException(
                        "an observation of %s was not taken by the broker: %s"
                            .formatted(observation.getRobot(), failure.getMessage()),
                        failure));
              }
            });
  }

  /** Returns when all that was sent is on the topic, or given up. */
  @Override
  public void close() {
    producer.close(LAST_SENDS);
  }
}
