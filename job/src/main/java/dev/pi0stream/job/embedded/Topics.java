package dev.pi0stream.job.embedded;

import java.time.Duration;
import java.util.ArrayList;
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
   * What new topics are like.
   *
   * @param replication brokers that hold each; the broker's default where it is empty
   * @param retention how long records are kept; the broker's default where it is empty
   */
  public record Shape(int partitions, Optional<Integer> replication, Optional<Duration> retention) {
    /** The broker's defaults, but for the partitions. */
    public static Shape ofPartitions(int partitions) {
      return new Shape(partitions, Optional.empty(), Optional.empty());
    }

    private NewTopic topic(String name) {
      Map<String, String> configuration = new HashMap<>();
      configuration.put("max.message.bytes", Integer.toString(MAX_MESSAGE_BYTES));
      retention.ifPresent(
          time -> configuration.put("retention.ms", Long.toString(time.toMillis())));
      return new NewTopic(name, Optional.of(partitions), replication.map(Integer::shortValue))
          .configs(configuration);
    }
  }

  /**
   * Creates those of {@code names} that do not exist yet; those that do stay as they are.
   *
   * @return those that were created
   * @throws KafkaException one sentence when the broker does not answer or refuses
   */
  public static List<String> create(
      String bootstrapServers, Shape shape, Collection<String> names) {
    List<String> created = new ArrayList<>();
    try (Admin admin = admin(bootstrapServers)) {
      Map<String, KafkaFuture<Void>> creations =
          admin.createTopics(names.stream().map(shape::topic).toList()).values();
      for (String name : names) {
        if (await(name, creations.get(name), bootstrapServers)) {
          created.add(name);
        }
      }
    }
    return List.copyOf(created);
  }

  /** Whether the topic was created; not, where it existed. */
  private static boolean await(String topic, KafkaFuture<Void> creation, String bootstrapServers) {
    try {
      creation.get();
      return true;
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw new KafkaException(
            "topic %s cannot be created at the Kafka broker %s: %s"
                .formatted(topic, bootstrapServers, e.getCause().getMessage()),
            e.getCause());
      }
      return false;
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
