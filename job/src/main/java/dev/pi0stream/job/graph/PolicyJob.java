package dev.pi0stream.job.graph;

import dev.pi0stream.operators.observation.DecodeFunction;
import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.outcome.OutcomeRouter;
import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.outcome.WireRecordSerializer;
import dev.pi0stream.operators.placement.RobotKeys;
import dev.pi0stream.operators.policy.PolicyFunction;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.session.RobotSessionFunction;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.operators.source.SourceRecordDeserializer;
import dev.pi0stream.operators.telemetry.Telemetry;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.datastream.AsyncDataStream;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * The graph of the job:
 *
 * <pre>
 * observations → decode → by robot → session → policy → route → chunks
 *                   │                    └─ route ─┐        └──→ outcomes
 *                   ├─ route ──────────────────────┴─────────────↗
 *                   └─ what is observed, how it ended → by robot → telemetry
 * </pre>
 *
 * <p>Delivery is at least once: a repeat has the same identity and the same actions, so that it is
 * harmless, and no transaction stands between a chunk and its robot. State is exactly once: after a
 * recovery sessions are where the source's offsets are.
 */
public final class PolicyJob {
  /**
   * Key groups; fixed, so that the state of a job can be restored with any parallelism up to it.
   */
  private static final int MAX_PARALLELISM = 128;

  private PolicyJob() {}

  /**
   * What leaves the job.
   *
   * @param chunks records for the chunks topic
   * @param outcomes records for the outcomes topic
   * @param telemetry records for the telemetry topic; empty where there is none
   */
  public record Answers(
      DataStream<WireRecord> chunks,
      DataStream<WireRecord> outcomes,
      Optional<DataStream<WireRecord>> telemetry) {
    /** Answers without telemetry. */
    public Answers(DataStream<WireRecord> chunks, DataStream<WireRecord> outcomes) {
      this(chunks, outcomes, Optional.empty());
    }
  }

  /** Builds the whole job, from Kafka to Kafka, in an environment; running it is the caller's. */
  public static void build(
      StreamExecutionEnvironment environment,
      JobSettings settings,
      KafkaSettings kafka,
      PolicyLoader loader) {
    configure(environment, settings);
    publish(serve(observations(environment, kafka), settings, loader), kafka);
  }

  /**
   * Sets what the job needs of its environment. Where checkpoints are stored is left to the
   * cluster; in-flight observations carry frames, which are too large for a JobManager's memory.
   */
  public static void configure(StreamExecutionEnvironment environment, JobSettings settings) {
    Configuration configuration = new Configuration();
    configuration.set(PipelineOptions.NAME, "pi0-stream");
    configuration.set(PipelineOptions.MAX_PARALLELISM, MAX_PARALLELISM);
    // Kryo would silently take types whose stored form nobody looks after.
    configuration.set(PipelineOptions.GENERIC_TYPES, false);
    // Elements are never changed, so frames need not be copied from operator to operator.
    configuration.set(PipelineOptions.OBJECT_REUSE, true);
    // A robot waits for every record: none waits for its buffer to fill.
    configuration.set(ExecutionOptions.BUFFER_TIMEOUT, Duration.ZERO);
    configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, settings.checkpointInterval());
    configuration.set(
        CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE, CheckpointingMode.EXACTLY_ONCE);
    // Behind a busy device barriers overtake the observations that wait for it.
    configuration.set(CheckpointingOptions.ENABLE_UNALIGNED, true);
    configuration.set(CheckpointingOptions.ALIGNED_CHECKPOINT_TIMEOUT, Duration.ofSeconds(1));
    configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "exponential-delay");
    configuration.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_INITIAL_BACKOFF,
        Duration.ofMillis(100));
    configuration.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF,
        Duration.ofSeconds(10));
    configuration.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_RESET_BACKOFF_THRESHOLD,
        Duration.ofMinutes(1));
    environment.configure(configuration, PolicyJob.class.getClassLoader());
    environment.setParallelism(settings.parallelism());
  }

  /** The records of the observations topic. */
  public static DataStream<SourceRecord> observations(
      StreamExecutionEnvironment environment, KafkaSettings kafka) {
    return environment
        .fromSource(
            source(kafka),
            // A clock that is ahead must not carry all robots' time away. Watermarks are for
            // telemetry alone, and made there.
            WatermarkStrategy.<SourceRecord>noWatermarks()
                .withTimestampAssigner(
                    (_, timestamp) -> Math.min(timestamp, System.currentTimeMillis())),
            "Observations from Kafka")
        .uid("observations")
        .setDescription("Reads topic " + kafka.observations());
  }

  /** The way of an observation, between any source and any sinks. */
  public static Answers serve(
      DataStream<SourceRecord> observations, JobSettings settings, PolicyLoader loader) {
    SingleOutputStreamOperator<DecodedObservation> decoded = decode(observations, settings);
    Resolved resolved = resolved(decoded, settings);
    DataStream<Outcome> asked = ask(resolved.observations(), settings, loader);
    Answers answers = route(asked, resolved.ended());
    return new Answers(
        answers.chunks(),
        answers.outcomes(),
        settings
            .telemetry()
            .map(
                how -> {
                  DataStream<Outcome> all = asked;
                  for (DataStream<Outcome> ended : resolved.ended().values()) {
                    all = all.union(ended);
                  }
                  return Telemetry.of(decoded, all, how, settings.sessionTimeToLive());
                }));
  }

  /**
   * What records come to before the policy is asked.
   *
   * @param observations those that stand for themselves
   * @param ended the outcomes of all others, by where they ended
   */
  public record Resolved(
      DataStream<ResolvedObservation> observations, Map<String, DataStream<Outcome>> ended) {}

  /** The first part of the way: records become observations, and sessions complete them. */
  public static Resolved resolve(DataStream<SourceRecord> observations, JobSettings settings) {
    return resolved(decode(observations, settings), settings);
  }

  private static SingleOutputStreamOperator<DecodedObservation> decode(
      DataStream<SourceRecord> observations, JobSettings settings) {
    return observations
        .process(new DecodeFunction(settings.limits()))
        .name("Decode observations")
        .uid("decode")
        .setDescription("Reads and checks what robots sent; what is unreadable is rejected");
  }

  private static Resolved resolved(
      SingleOutputStreamOperator<DecodedObservation> decoded, JobSettings settings) {
    SingleOutputStreamOperator<ResolvedObservation> resolved =
        decoded
            .keyBy(new RobotKeys(settings.roster(), MAX_PARALLELISM))
            .process(new RobotSessionFunction(settings.sessionTimeToLive()))
            .name("Robot sessions")
            .uid("session")
            .setDescription("Fills in inherited prompts and frames; ends what comes late");
    return new Resolved(
        resolved,
        Map.of(
            "decoding", decoded.getSideOutput(DecodeFunction.REJECTED),
            "sessions", resolved.getSideOutput(RobotSessionFunction.ENDED)));
  }

  /** The second part: the policy is asked. */
  public static DataStream<Outcome> ask(
      DataStream<ResolvedObservation> observations, JobSettings settings, PolicyLoader loader) {
    return AsyncDataStream.unorderedWait(
            observations,
            new PolicyFunction(settings.engine(), loader, settings.timeout()),
            settings.timeout().toMillis(),
            TimeUnit.MILLISECONDS,
            settings.inFlight())
        .name("Policy")
        .uid("policy")
        .setDescription(
            "%s on %s in %s"
                .formatted(
                    settings.engine().checkpoint(),
                    settings.engine().device(),
                    settings.engine().precision()));
  }

  /**
   * The last part: every outcome becomes a record. Each kind of end has a router of its own, so
   * that a chunk stays in the task of its policy up to the broker: a union before the router would
   * be another thread, and half a millisecond.
   *
   * @param asked the policy's
   * @param ended the others, by where they ended
   */
  public static Answers route(DataStream<Outcome> asked, Map<String, DataStream<Outcome>> ended) {
    SingleOutputStreamOperator<WireRecord> chunks = route(asked, "route", "Route outcomes");
    DataStream<WireRecord> outcomes = chunks.getSideOutput(OutcomeRouter.OUTCOMES);
    for (String place : ended.keySet().stream().sorted().toList()) {
      outcomes =
          outcomes.union(
              route(ended.get(place), "route-" + place, "Route outcomes of " + place)
                  .getSideOutput(OutcomeRouter.OUTCOMES));
    }
    return new Answers(chunks, outcomes);
  }

  private static SingleOutputStreamOperator<WireRecord> route(
      DataStream<Outcome> ended, String uid, String name) {
    return ended
        .process(new OutcomeRouter())
        .name(name)
        .uid(uid)
        .setDescription("One outcome in, one record out");
  }

  /** Writes what leaves the job to its topics. */
  public static void publish(Answers answers, KafkaSettings kafka) {
    answers
        .chunks()
        .sinkTo(sink(kafka, kafka.chunks()))
        .name("Chunks to Kafka")
        .uid("chunks")
        .setDescription("Writes topic " + kafka.chunks());
    answers
        .outcomes()
        .sinkTo(sink(kafka, kafka.outcomes()))
        .name("Outcomes to Kafka")
        .uid("outcomes")
        .setDescription("Writes topic " + kafka.outcomes());
    answers
        .telemetry()
        .ifPresent(
            reports ->
                reports
                    .sinkTo(sink(kafka, kafka.telemetry()))
                    .name("Telemetry to Kafka")
                    .uid("telemetry-topic")
                    .setDescription("Writes topic " + kafka.telemetry()));
  }

  private static KafkaSource<SourceRecord> source(KafkaSettings kafka) {
    return KafkaSource.<SourceRecord>builder()
        .setBootstrapServers(kafka.bootstrapServers())
        .setTopics(kafka.observations())
        .setGroupId(kafka.group())
        .setStartingOffsets(
            switch (kafka.start()) {
              case EARLIEST -> OffsetsInitializer.earliest();
              case LATEST -> OffsetsInitializer.latest();
              case COMMITTED -> committed();
            })
        .setDeserializer(new SourceRecordDeserializer())
        .build();
  }

  @SuppressWarnings("deprecation") // Kafka's enum is deprecated, but Flink's connector takes it.
  private static OffsetsInitializer committed() {
    return OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST);
  }

  private static KafkaSink<WireRecord> sink(KafkaSettings kafka, String topic) {
    return KafkaSink.<WireRecord>builder()
        .setBootstrapServers(kafka.bootstrapServers())
        .setRecordSerializer(new WireRecordSerializer(topic))
        .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        // A robot waits for it: no lingering for a fuller batch.
        .setProperty(ProducerConfig.LINGER_MS_CONFIG, "0")
        .build();
  }
}
