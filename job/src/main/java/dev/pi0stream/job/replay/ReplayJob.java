package dev.pi0stream.job.replay;

import dev.pi0stream.job.embedded.Topics;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.outcome.WireRecordSerializer;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.operators.replay.AvroContainerFactory;
import dev.pi0stream.operators.replay.EpisodeSelection;
import dev.pi0stream.operators.replay.EpisodeSource;
import dev.pi0stream.operators.replay.LoggedStep;
import dev.pi0stream.operators.replay.LoneIdentity;
import dev.pi0stream.operators.replay.NamedOutcomes;
import dev.pi0stream.operators.replay.RecordingFormat;
import dev.pi0stream.operators.replay.SplitSteps;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.Schema;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * The graph of a replay: the live job's operators between a source that ends and sinks that write
 * each answer exactly once.
 *
 * <pre>
 * episodes  → steps ───────────────────────→ policy → route → chunks
 * recording → decode → by robot → session ↗             └───→ outcomes
 * </pre>
 */
final class ReplayJob {
  private static final Duration TIMEOUT = Duration.ofDays(1);
  private static final int RESTARTS = 3;
  private static final int PARTITIONS = 4;
  private static final String CHUNKS = "replay-chunks";
  private static final String OUTCOMES = "replay-outcomes";
  private static final Duration TRANSACTION_TIMEOUT = Duration.ofMinutes(15);

  private ReplayJob() {}

  /** Sets what a replay needs of its environment; goes on from a checkpoint where there is one. */
  static void configure(
      StreamExecutionEnvironment environment,
      JobSettings settings,
      Path checkpoints,
      Optional<String> resumed) {
    PolicyJob.configure(environment, settings);
    Configuration configuration = new Configuration();
    configuration.set(PipelineOptions.NAME, "pi0-replay");
    configuration.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, checkpoints.toUri().toString());
    configuration.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
    configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, RESTARTS);
    configuration.set(
        RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofSeconds(1));
    resumed.ifPresent(path -> configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, path));
    environment.configure(configuration, ReplayJob.class.getClassLoader());
  }

  /** The settings of the live job's operators here: nothing expires, and batches fill up. */
  static JobSettings settings(ReplaySettings replay) {
    JobSettings usual = JobSettings.defaults(replay.engine());
    return new JobSettings(
        replay.engine(),
        replay.engine().devices().size(),
        // One batch on the device, one that is prepared, and some that are being.
        3 * replay.engine().maxBatch() + 2,
        TIMEOUT,
        replay.checkpointInterval(),
        TIMEOUT,
        usual.limits());
  }

  /** The steps of a dataset's episodes. */
  static PolicyJob.Resolved episodes(
      StreamExecutionEnvironment environment, EpisodeSelection selection) {
    DataStream<LoggedStep> logged =
        environment
            .fromSource(
                new EpisodeSource(selection), WatermarkStrategy.noWatermarks(), "Logged episodes")
            .uid("episodes")
            .setDescription("Reads " + selection.dataset());
    SingleOutputStreamOperator<ResolvedObservation> steps =
        logged
            .process(new SplitSteps())
            .name("Steps")
            .uid("steps")
            .setDescription("Observations one way, ends of broken episodes the other");
    return new PolicyJob.Resolved(
        steps, Map.of("episodes", steps.getSideOutput(SplitSteps.SKIPPED)));
  }

  /** The observations of a recording, through decoding and sessions as when they were live. */
  static PolicyJob.Resolved recording(
      StreamExecutionEnvironment environment, List<Path> files, JobSettings settings) {
    DataStream<SourceRecord> records =
        environment
            .fromSource(
                FileSource.forRecordStreamFormat(
                        new RecordingFormat(),
                        files.stream()
                            .map(file -> new org.apache.flink.core.fs.Path(file.toUri()))
                            .toArray(org.apache.flink.core.fs.Path[]::new))
                    .build(),
                WatermarkStrategy.noWatermarks(),
                "Recorded observations")
            .uid("recording")
            .setDescription("Reads " + files);
    return PolicyJob.resolve(records, settings);
  }

  /** Asks the policy about each observation, none of which supersedes another. */
  static PolicyJob.Answers answer(
      PolicyJob.Resolved resolved, JobSettings settings, PolicyLoader loader) {
    DataStream<ResolvedObservation> alone =
        resolved
            .observations()
            .map(LoneIdentity::alone)
            .name("Each for itself")
            .uid("alone")
            .returns(ResolvedObservation.class);
    SingleOutputStreamOperator<Outcome> named =
        PolicyJob.ask(alone, settings, loader)
            .map(new NamedOutcomes())
            .name("True names")
            .uid("named");
    return PolicyJob.route(named, resolved.ended());
  }

  /** Writes answers to Avro container files. */
  static void write(PolicyJob.Answers answers, Path chunks, Path outcomes) {
    write(answers.chunks(), ActionChunk.getClassSchema(), chunks, "chunks");
    write(answers.outcomes(), ObservationOutcome.getClassSchema(), outcomes, "outcomes");
  }

  private static void write(
      DataStream<WireRecord> records, Schema schema, Path directory, String name) {
    records
        .sinkTo(
            FileSink.forBulkFormat(
                    new org.apache.flink.core.fs.Path(directory.toUri()),
                    new AvroContainerFactory(schema))
                .withBucketAssigner(new BasePathBucketAssigner<>())
                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                .withOutputFileConfig(
                    OutputFileConfig.builder().withPartPrefix(name).withPartSuffix(".avro").build())
                .build())
        .name("Files of " + name)
        .uid(name + "-files")
        .setDescription("Writes " + directory);
  }

  /**
   * Writes answers to topics, each exactly once for readers of committed records.
   *
   * @param identity of the replay; the same when it is resumed
   */
  static void publish(PolicyJob.Answers answers, String bootstrapServers, String identity) {
    Topics.create(
        bootstrapServers, Topics.Shape.ofPartitions(PARTITIONS), List.of(CHUNKS, OUTCOMES));
    publish(answers.chunks(), bootstrapServers, CHUNKS, identity);
    publish(answers.outcomes(), bootstrapServers, OUTCOMES, identity);
  }

  private static void publish(
      DataStream<WireRecord> records, String bootstrapServers, String topic, String identity) {
    records
        .sinkTo(
            KafkaSink.<WireRecord>builder()
                .setBootstrapServers(bootstrapServers)
                .setRecordSerializer(new WireRecordSerializer(topic))
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                .setTransactionalIdPrefix(topic + "-" + identity)
                .setProperty(
                    ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
                    Long.toString(TRANSACTION_TIMEOUT.toMillis()))
                .build())
        .name("Topic " + topic)
        .uid(topic)
        .setDescription("Writes topic " + topic + " in transactions");
  }
}
