package dev.pi0stream.tests.stream;

import dev.pi0stream.job.embedded.EmbeddedFlink;
import dev.pi0stream.job.embedded.EmbeddedKafka;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireException;
import dev.pi0stream.schemas.WireFormat;
import dev.pi0stream.tests.simulator.DeviceCosts;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;
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

/**
 * How long an observation takes from topic to topic besides the engine, and where: a policy that
 * computes nothing, a broker and a cluster in this process, 50 observations a second of ten robots.
 * Prints the table of docs/pipeline-latency.md, in milliseconds; {@code benchmarks/run.sh
 * pipeline-latency} runs it.
 *
 * <p>Arguments are the sizes of observations in bytes; 1000 and 150000 unless told. Before it
 * measures, so many observations have gone through that the JVM has compiled what it runs.
 */
@SuppressWarnings("try") // Closing may be interrupted; the benchmark ends with it.
final class PipelineLatencyBenchmark {
  private static final int PER_SECOND = 50;
  private static final int ROBOTS = 10;
  private static final int MEASURED = 60 * PER_SECOND;

  /** The JVM compiles by counts of calls, so these come faster. */
  private static final int WARM_UP_PER_SECOND = 200;

  private static final int WARM_UP = 30 * WARM_UP_PER_SECOND;

  /** At the measured rate, and not counted. */
  private static final int SETTLING = 5 * PER_SECOND;

  private static final int FIRST = WARM_UP + SETTLING;
  private static final int ALL = FIRST + MEASURED;

  private static final String READ = "read";
  private static final String ASKED = "asked";
  private static final String COMPUTED = "computed";
  private static final String ANSWERED = "answered";

  private final int bytes;
  private final WireFormat<RobotObservation> observations = WireFormat.observations();
  private final WireFormat<ActionChunk> chunks = WireFormat.chunks();
  private final Map<Long, Long> sent = new ConcurrentHashMap<>();
  private final Map<Long, Long> acknowledged = new ConcurrentHashMap<>();
  private final Map<Long, Long> received = new ConcurrentHashMap<>();
  private final Map<Long, Long> engine = new ConcurrentHashMap<>();

  private PipelineLatencyBenchmark(int bytes) {
    this.bytes = bytes;
  }

  /** Measures and prints. */
  public static void main(String[] arguments) throws Exception {
    int[] sizes =
        arguments.length == 0
            ? new int[] {1000, 150_000}
            : Stream.of(arguments).mapToInt(Integer::parseInt).toArray();
    Map<String, List<String>> table = new LinkedHashMap<>();
    for (int size : sizes) {
      new PipelineLatencyBenchmark(size)
          .measure()
          .forEach((part, cells) -> table.computeIfAbsent(part, _ -> new ArrayList<>()).add(cells));
    }
    StringBuilder head = new StringBuilder("| |");
    StringBuilder rule = new StringBuilder("|---|");
    for (int size : sizes) {
      head.append(" %,d bytes p50 | p95 | p99 |".formatted(size));
      rule.append("---:|---:|---:|");
    }
    System.out.println(head);
    System.out.println(rule);
    table.forEach((part, cells) -> System.out.println("| " + part + " |" + String.join("", cells)));
  }

  private Map<String, String> measure() throws Exception {
    Stream.of(READ, ASKED, COMPUTED, ANSWERED).forEach(place -> Stopwatch.passed(place).clear());
    try (EmbeddedKafka broker = EmbeddedKafka.start(0);
        EmbeddedFlink flink = EmbeddedFlink.start(0, 1, new Configuration())) {
      KafkaSettings topics =
          KafkaSettings.defaults(broker.bootstrapServers())
              .startingAt(KafkaSettings.Start.EARLIEST);
      broker.createTopics(1, topics.topics().toArray(String[]::new));
      JobClient job = submit(flink, topics);
      AtomicBoolean end = new AtomicBoolean();
      Thread reader = Thread.ofPlatform().start(() -> read(topics, end));
      send(topics);
      end.set(true);
      reader.join();
      job.cancel().get();
    }
    return report();
  }

  private static JobClient submit(EmbeddedFlink flink, KafkaSettings topics) throws Exception {
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            new EngineSpec("stub", "stub", "fp32", 8),
            Duration.ofSeconds(5),
            _ -> new LoadedPolicy(new WatchedPolicy(), new IdentityNoise(0), () -> {}));
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
            .map(new Stopwatch<WireRecord>(ANSWERED, PipelineLatencyBenchmark::number))
            .returns(TypeInformation.of(WireRecord.class));
    PolicyJob.publish(
        new PolicyJob.Answers(answered, answers.outcomes(), answers.telemetry()), topics);
    JobClient job = flink.submit(environment);
    while (!flink.isRunning(job)) {
      Thread.sleep(50);
    }
    return job;
  }

  /** Notes when it is asked and when it has answered. */
  private static final class WatchedPolicy extends StubPolicy {
    WatchedPolicy() {
      super(List.of("top"), DeviceCosts.NONE);
    }

    @Override
    public Optional<String> refusal(Observation observation) {
      Stopwatch.pass(ASKED, number(observation));
      return super.refusal(observation);
    }

    @Override
    public float[] actions(float[] x, Observation observation) {
      Stopwatch.pass(COMPUTED, number(observation));
      return super.actions(x, observation);
    }

    private static long number(Observation observation) {
      return (long) observation.state()[2];
    }
  }

  private static long number(WireRecord message) {
    try {
      return WireFormat.chunks().decode(message.value()).getSourceOffset();
    } catch (WireException e) {
      throw new AssertionError(e);
    }
  }

  private void send(KafkaSettings topics) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                topics.bootstrapServers(),
                ProducerConfig.LINGER_MS_CONFIG,
                0),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      long due = System.nanoTime();
      for (int i = 0; i < ALL; i++) {
        long number = i;
        byte[] value = observations.encode(observation(i));
        due += 1_000_000_000 / (i < WARM_UP ? WARM_UP_PER_SECOND : PER_SECOND);
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
    while (!received.containsKey(ALL - 1L) && System.nanoTime() < patience) {
      Thread.sleep(20);
    }
  }

  private static String robot(int number) {
    return "robot-" + number % ROBOTS;
  }

  private RobotObservation observation(int number) {
    int side = (int) Math.sqrt((bytes - 200) / 3.0);
    return new RobotObservation(
        robot(number),
        "e1",
        (long) number,
        Instant.now(),
        null,
        "task",
        List.of(1f, 2f, (float) number),
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

  /** Where the time goes: percentiles in ms for each part of the way. */
  private Map<String, String> report() {
    // An observation that a newer one of its robot overtook has no chunk.
    long[] numbers = LongStream.range(FIRST, ALL).filter(received::containsKey).toArray();
    System.out.printf("%,d bytes: %d of %d have a chunk%n", bytes, numbers.length, MEASURED);
    Map<Long, Long> read = Stopwatch.passed(READ);
    Map<Long, Long> asked = Stopwatch.passed(ASKED);
    Map<Long, Long> computed = Stopwatch.passed(COMPUTED);
    Map<Long, Long> answered = Stopwatch.passed(ANSWERED);
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put(
        "robot's producer until the broker has it (acknowledged)",
        cells(numbers, n -> acknowledged.get(n) - sent.get(n)));
    parts.put(
        "broker until the job has it", cells(numbers, n -> read.get(n) - acknowledged.get(n)));
    parts.put(
        "decode, exchange by robot, session", cells(numbers, n -> asked.get(n) - read.get(n)));
    parts.put(
        "engine: its two hand-overs, and nothing to compute", cells(numbers, n -> engine.get(n)));
    parts.put(
        "from the engine's thread to the task's, route, encode",
        cells(numbers, n -> answered.get(n) - computed.get(n)));
    parts.put(
        "job's producer until a reader has it",
        cells(numbers, n -> received.get(n) - answered.get(n)));
    parts.put(
        "**topic to topic**, besides the engine",
        cells(numbers, n -> received.get(n) - acknowledged.get(n) - engine.get(n)));
    parts.put(
        "robot to reader, besides the engine",
        cells(numbers, n -> received.get(n) - sent.get(n) - engine.get(n)));
    return parts;
  }

  private static String cells(long[] numbers, LongUnaryOperator nanos) {
    double[] times =
        LongStream.of(numbers).map(nanos).mapToDouble(time -> time / 1e6).sorted().toArray();
    return " %.2f | %.2f | %.2f |"
        .formatted(percentile(times, 0.5), percentile(times, 0.95), percentile(times, 0.99));
  }

  private static double percentile(double[] sorted, double part) {
    return sorted[(int) Math.min(sorted.length - 1, Math.round(part * sorted.length))];
  }
}
