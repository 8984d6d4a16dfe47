package dev.pi0stream.job.embedded;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TopicExistsException;

/** The topics of a broker. */
public final class Topics {
  /** The largest message of a topic that is created here: observations carry camera frames. */
  public static final int MAX_MESSAGE_BYTES = 64 << 20;

  private static final int REQUEST_TIMEOUT_MILLIS = 10_000;

  private Topics() {}

  /**
   * Creates those of {@code names} that do not exist yet; those that do stay as they are.
   *
   * @param partitions partitions of each new topic; its replication is the broker's default
   * @throws KafkaException one sentence when the broker does not answer or refuses
   */
  public static void create(String bootstrapServers, int partitions, Collection<String> names) {
    List<NewTopic> topics =
        names.stream()
            .map(
                name ->
                    new NewTopic(name, Optional.of(partitions), Optional.empty())
                        .configs(Map.of("max.message.bytes", Integer.toString(MAX_MESSAGE_BYTES))))
            .toList();
    try (Admin admin = admin(bootstrapServers)) {
      Map<String, KafkaFuture<Void>> created = admin.createTopics(topics).values();
      for (Map.Entry<String, KafkaFuture<Void>> topic : created.entrySet()) {
        await(topic.getKey(), topic.getValue(), bootstrapServers);
      }
    }
  }

  private static void await(String topic, KafkaFuture<Void> creation, String bootstrapServers) {
    try {
      creation.get();
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw new KafkaException(
            "topic %s cannot be created at the Kafka broker %s: %s"
                .formatted(topic, bootstrapServers, e.getCause().getMessage()),
            e.getCause());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted while creating topic " + topic, e);
    }
  }

  private static Admin admin(String bootstrapServers) {
    Map<String, Object> settings = new HashMap<>();
    settings.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, REQUEST_TIMEOUT_MILLIS);
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, REQUEST_TIMEOUT_MILLIS);
    return Admin.create(settings);
  }
}
