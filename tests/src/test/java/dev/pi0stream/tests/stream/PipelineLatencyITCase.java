package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.embedded.EmbeddedFlink;
import dev.pi0stream.job.embedded.EmbeddedKafka;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * How long an observation takes from topic to topic besides the engine, and where: a policy that
 * computes nothing, a broker and a cluster in this process, 50 observations a second of ten robots.
 * The bounds are far above what docs/pipeline-latency.md shows: they find a wait, not a slow
 * machine.
 */
@Tag("long")
@Timeout(240)
@SuppressWarnings("try") // Closing may be interrupted; the test fails with it.
class PipelineLatencyITCase {
  private static final int PER_SECOND = 50;
  private static final int ROBOTS = 10;
  private static final int WARM_UP = 20 * PER_SECOND;
  private static final int MEASURED = 30 * PER_SECOND;
  private static final String READ = "read";
  private static final String ANSWERED = "answered";

  private final WireFormat<RobotObservation> observations = WireFormat.observations();
  private final WireFormat<ActionChunk> chunks = WireFormat.chunks();
  private final Map<Long, Long> sent = new ConcurrentHashMap<>();
  private final Map<Long, Long> acknowledged = new ConcurrentHashMap<>();
  private final Map<Long, Long> received = new ConcurrentHashMap<>();
  private final Map<Long, Long> engine = new ConcurrentHashMap<>();

  @ParameterizedTest
  @CsvSource({"1000, 6, 60", "150000, 8, 150"})
  void theWayFromTopicToTopicIsShort(int bytes, double p50, double p99) throws Exception {
    Stopwatch.passed(READ).clear();
    Stopwatch.passed(ANSWERED).clear();
    try (EmbeddedKafka broker = EmbeddedKafka.start(0);
        EmbeddedFlink flink = EmbeddedFlink.start(0, 1, new Configuration())) {
      KafkaSettings topics =
          KafkaSettings.defaults(broker.bootstrapServers())
              .startingAt(KafkaSettings.Start.EARLIEST);
      broker.createTopics(1, topics.observations(), topics.chunks(), topics.outcomes());
      JobClient job = submit(flink, topics);
      AtomicBoolean end = new AtomicBoolean();
      Thread reader = Thread.ofPlatform().start(() -> read(topics, end));
      send(topics, bytes);
      end.set(true);
      reader.join();
      job.cancel().get();
    }
    double[] overhead = report(bytes);
    assertThat(percentile(overhead, 0.5)).as("p50 in ms").isLessThanOrEqualTo(p50);
    assertThat(percentile(overhead, 0.99)).as("p99 in ms").isLessThanOrEqualTo(p99);
  }

  private static JobClient submit(EmbeddedFlink flink, KafkaSettings topics) throws Exception {
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            new EngineSpec("stub", "stub", "fp32", 8), Duration.ofSeconds(5), new StubPolicy());
    StreamExecutionEnvironment environment = new StreamExecutionEnvironment();
    PolicyJob.configure(environment, settings.job());
    DataStream<SourceRecord> read =
        PolicyJob.observations(environment, topics)
            .map(new Stopwatch<SourceRecord>(READ, message -> message.position().offset()))
            .returns(TypeInformation.of(SourceRecord.class));
    PolicyJob.Answers answers = PolicyJob.serve(read, settings.job(), settings.loader());
    DataStream<WireRecord> answered =
        answers
            .chunks()
            .map(new Stopwatch<WireRecord>(ANSWERED, PipelineLatencyITCase::number))
            .returns(TypeInformation.of(WireRecord.class));
    PolicyJob.publish(new PolicyJob.Answers(answered, answers.outcomes()), topics);
    JobClient job = flink.submit(environment);
    while (!flink.isRunning(job)) {
      Thread.sleep(50);
    }
    return job;
  }

  private static long number(WireRecord message) {
    try {
      return WireFormat.chunks().decode(message.value()).getSourceOffset();
    } catch (WireException e) {
      throw new AssertionError(e);
    }
  }

  private void send(KafkaSettings topics, int bytes) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                topics.bootstrapServers(),
                ProducerConfig.LINGER_MS_CONFIG,
                0),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      long begin = System.nanoTime();
      for (int i = 0; i < WARM_UP + MEASURED; i++) {
        long number = i;
        byte[] value = observations.encode(observation(i, bytes));
        long due = begin + number * 1_000_000_000 / PER_SECOND;
        while (System.nanoTime() < due) {
          Thread.sleep(Duration.ofNanos(Math.max(1, due - System.nanoTime())));
        }
        sent.put(number, System.nanoTime());
        var _ =
            producer.send(
                new ProducerRecord<>(
                    topics.observations(), robot(i).getBytes(StandardCharsets.UTF_8), value),
                (_, _) -> acknowledged.put(number, System.nanoTime()));
      }
    }
    long patience = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (received.size() < WARM_UP + MEASURED && System.nanoTime() < patience) {
      Thread.sleep(20);
    }
  }

  private static String robot(int number) {
    return "robot-" + number % ROBOTS;
  }

  private static RobotObservation observation(int number, int bytes) {
    int side = (int) Math.sqrt((bytes - 200) / 3.0);
    return new RobotObservation(
        robot(number),
        "e1",
        (long) number,
        Instant.now(),
        null,
        "task",
        List.of(1f, 2f, 3f),
        List.of(
            new CameraFrame(
                "top", FrameEncoding.RGB8, side, side, ByteBuffer.allocate(side * side * 3))),
        null);
  }

  private void read(KafkaSettings topics, AtomicBoolean end) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, topics.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partition = List.of(new TopicPartition(topics.chunks(), 0));
      consumer.assign(partition);
      consumer.seekToBeginning(partition);
      while (!end.get()) {
        consumer
            .poll(Duration.ofMillis(100))
            .forEach(
                message -> {
                  long now = System.nanoTime();
                  try {
                    ActionChunk chunk = chunks.decode(message.value());
                    received.put(chunk.getSourceOffset(), now);
                    engine.put(
                        chunk.getSourceOffset(),
                        1000
                            * (chunk.getQueueMicros()
                                + chunk.getVisionMicros()
                                + chunk.getPrefixMicros()
                                + chunk.getDenoiseMicros()));
                  } catch (WireException e) {
                    throw new AssertionError(e);
                  }
                });
      }
    }
  }

  /** Prints where the time goes; gives the time from topic to topic, sorted, in ms. */
  private double[] report(int bytes) {
    // An observation that a newer one of its robot overtook has no chunk.
    long[] numbers =
        LongStream.range(WARM_UP, (long) WARM_UP + MEASURED)
            .filter(received::containsKey)
            .toArray();
    assertThat(numbers.length).as("chunks that came back").isGreaterThan((int) (0.99 * MEASURED));
    Map<Long, Long> read = Stopwatch.passed(READ);
    Map<Long, Long> answered = Stopwatch.passed(ANSWERED);
    print(
        bytes,
        "robot's producer until the broker has it",
        numbers,
        n -> acknowledged.get(n) - sent.get(n));
    print(bytes, "broker until the job has it", numbers, n -> read.get(n) - acknowledged.get(n));
    print(
        bytes,
        "in the job, besides the engine",
        numbers,
        n -> answered.get(n) - read.get(n) - engine.get(n));
    print(
        bytes,
        "job's producer until a reader has it",
        numbers,
        n -> received.get(n) - answered.get(n));
    print(
        bytes,
        "robot to reader, besides the engine",
        numbers,
        n -> received.get(n) - sent.get(n) - engine.get(n));
    return print(
        bytes,
        "topic to topic, besides the engine",
        numbers,
        n -> received.get(n) - acknowledged.get(n) - engine.get(n));
  }

  private static double[] print(int bytes, String part, long[] numbers, LongUnaryOperator nanos) {
    double[] times =
        LongStream.of(numbers).map(nanos).mapToDouble(time -> time / 1e6).sorted().toArray();
    System.out.printf(
        "| %,d bytes | %-42s | %6.2f | %6.2f | %6.2f |%n",
        bytes, part, percentile(times, 0.5), percentile(times, 0.95), percentile(times, 0.99));
    return times;
  }

  private static double percentile(double[] sorted, double part) {
    return sorted[(int) Math.min(sorted.length - 1, Math.round(part * sorted.length))];
  }
}
