package dev.pi0stream.job.fleet;

import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.run.ObservationTopic;
import dev.pi0stream.job.run.TopicReader;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/** A fleet at the topics of a job that runs. */
public final class FleetSession {
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(90);
  private static final Duration GET_READY = Duration.ofMillis(300);

  private final FleetSettings settings;
  private final WireFormat<ActionChunk> chunks = WireFormat.chunks();
  private final WireFormat<ObservationOutcome> outcomes = WireFormat.outcomes();
  private final AtomicReference<Exception> failure = new AtomicReference<>();
  private volatile FleetRun run;
  private volatile boolean stopped;

  public FleetSession(FleetSettings settings) {
    this.settings = settings;
  }

  /**
   * Lets the fleet live.
   *
   * @throws KafkaException one sentence when the broker or a topic fails
   */
  public FleetReport execute() throws InterruptedException {
    KafkaSettings kafka = settings.kafka();
    Map<TopicPartition, Long> answers;
    try (KafkaConsumer<byte[], byte[]> consumer =
        TopicReader.consumer(kafka.bootstrapServers(), Map.of())) {
      TopicReader.ends(consumer, List.of(kafka.observations()));
      answers = TopicReader.ends(consumer, List.of(kafka.chunks(), kafka.outcomes()));
    } catch (TimeoutException e) {
      throw new KafkaException(
          "the Kafka broker %s does not answer: %s"
              .formatted(kafka.bootstrapServers(), e.getMessage()),
          e);
    }
    try (ObservationTopic topic =
        new ObservationTopic(kafka.bootstrapServers(), kafka.observations(), this::fail)) {
      FleetRun playing = new FleetRun(settings, topic, Instant.now().plus(GET_READY));
      run = playing;
      if (stopped) {
        playing.stop();
      }
      try (TopicReader _ =
          new TopicReader(
              "pi0-fleet-answers",
              kafka.bootstrapServers(),
              answers,
              (message, _) -> answer(playing, message),
              this::fail)) {
        FleetReport report = playing.play(LAST_ANSWERS);
        if (failure.get() != null) {
          throw new KafkaException(failure.get().getMessage(), failure.get());
        }
        return report;
      }
    }
  }

  /** Ends early, from any thread; what was sent is still waited for. */
  public void stop() {
    stopped = true;
    FleetRun playing = run;
    if (playing != null) {
      playing.stop();
    }
  }

  /** How late the latest act of a robot was: how well this machine keeps up with the fleet. */
  public Duration behind() {
    return run.behind();
  }

  private void answer(FleetRun playing, ConsumerRecord<byte[], byte[]> message)
      throws WireException {
    if (message.topic().equals(settings.kafka().chunks())) {
      playing.answered(chunks.decode(message.value()));
    } else {
      playing.answered(outcomes.decode(message.value()));
    }
  }

  private void fail(Exception cause) {
    failure.compareAndSet(null, cause);
    stop();
  }
}
