package dev.pi0stream.tests.tenstorrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.tt.TtDevice;
import dev.pi0stream.device.tt.host.Target;
import dev.pi0stream.job.cli.Main;
import dev.pi0stream.job.embedded.EmbeddedKafka;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.run.TopicReader;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ResidentPolicy;
import dev.pi0stream.model.policy.Probe;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.observation.ObservationDecoder;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.session.RememberedSession;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.session.SessionRules;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.WireFormat;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code pi0 run --device tt} in a process of its own, which computes with the double of TTNN: the
 * chunks on the topic are what the policy gives when it is asked directly.
 */
@Tag("long")
@Timeout(400)
class TenstorrentRunITCase {
  private static final Path CHECKPOINT = Path.of("../examples/checkpoint");
  private static final Path EPISODES = Path.of("../examples/episodes");
  private static final Precision PRECISION = Precision.BF16;

  /** The robots stop when so many chunks are on the topic: by then stages are replayed. */
  private static final int ENOUGH = 8;

  private static final Duration PATIENCE = Duration.ofMinutes(4);

  @TempDir private Path directory;

  @Test
  void chunksOnTheTopicAreWhatThePolicyComputesDirectly() throws Exception {
    try (TtDevice device = MockChips.open(MockChips.DOUBLE, PRECISION);
        EmbeddedKafka broker = EmbeddedKafka.start(0)) {
      KafkaSettings topics = KafkaSettings.defaults(broker.bootstrapServers());
      String summary = run(broker.bootstrapServers());
      List<ConsumerRecord<byte[], byte[]>> chunks =
          read(broker.bootstrapServers(), topics.chunks());
      assertThat(chunks).as(summary).hasSizeGreaterThanOrEqualTo(ENOUGH);
      Map<SourcePosition, ResolvedObservation> observations = new HashMap<>();
      for (ConsumerRecord<byte[], byte[]> record :
          read(broker.bootstrapServers(), topics.observations())) {
        ResolvedObservation observation = resolved(record);
        observations.put(observation.source(), observation);
      }
      try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINT);
          ResidentPolicy policy = ResidentPolicy.load(checkpoint, device)) {
        for (ConsumerRecord<byte[], byte[]> record : chunks) {
          ActionChunk chunk = WireFormat.chunks().decode(record.value());
          assertThat(chunk.getDevice()).isEqualTo("tt/" + PRECISION.label());
          SourcePosition source =
              new SourcePosition(
                  chunk.getSourceTopic(), chunk.getSourcePartition(), chunk.getSourceOffset());
          assertEqual(chunk, observations.get(source), policy);
        }
        assertThat(device.stageCount().traces()).isPositive();
      }
    }
  }

  /** Operation by operation, and replayed, it is the chunk. */
  private static void assertEqual(
      ActionChunk chunk, ResolvedObservation resolved, ResidentPolicy policy) {
    Observation observation =
        new Observation(resolved.frames(), resolved.state(), resolved.prompt());
    float[] noise = new IdentityNoise(0).draw(resolved.id(), policy.noiseSize());
    List<Sample> samples = List.of(new Sample(policy.prepare(observation), noise, null));
    int steps = policy.policy().config().inferenceSteps();
    List<Float> served = chunk.getActions();
    float[] eager = policy.policy().sample(samples, steps, new Watching()).x().getFirst();
    assertThat(boxed(policy.actions(eager, observation))).isEqualTo(served);
    float[] staged = policy.policy().sample(samples, steps).x().getFirst();
    assertThat(boxed(policy.actions(staged, observation))).isEqualTo(served);
  }

  /** What is watched is computed operation by operation. */
  private static final class Watching implements Probe {
    @Override
    public void see(String name, int row, Tensor value) {}

    @Override
    public void seePrefix(KeyValues prefix) {}
  }

  private static List<Float> boxed(float[] numbers) {
    List<Float> boxed = new ArrayList<>();
    for (float number : numbers) {
      boxed.add(number);
    }
    return boxed;
  }

  // The command ----------------------------------------------------------------------------------

  /** Runs until enough chunks are there, and gives what it printed. */
  private String run(String broker) throws Exception {
    Path log = directory.resolve("run.log");
    Process process = start(broker, log.toFile());
    long latest = System.nanoTime() + PATIENCE.toNanos();
    while (process.isAlive() && chunks(broker) < ENOUGH && System.nanoTime() < latest) {
      Thread.sleep(200);
    }
    // As by Ctrl-C: the robots stop, and what they sent gets its outcome.
    process.destroy();
    boolean ended = process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    process.destroyForcibly();
    String printed = Files.readString(log);
    assertThat(ended).as(printed).isTrue();
    assertThat(process.exitValue()).as(printed).isZero();
    System.out.println(printed.lines().filter(line -> line.contains(" observations = ")).toList());
    return printed;
  }

  private static Process start(String broker, File log) throws Exception {
    Path resources = Path.of("../device/src/test/resources").toAbsolutePath().normalize();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx1g"));
    command.add("--sun-misc-unsafe-memory-access=allow");
    command.add("-Dpi0.ttnn.module=" + MockChips.DOUBLE);
    command.add("-Dpi0.ttnn.modules=" + resources);
    command.addAll(List.of("-cp", System.getProperty("surefire.test.class.path")));
    command.addAll(List.of(Main.class.getName(), "run", "--device", "tt"));
    command.addAll(List.of("--precision", PRECISION.label(), "--kafka", broker));
    command.addAll(List.of("--checkpoint", CHECKPOINT.toString(), "--robots", EPISODES.toString()));
    // Rows of a batch are padded together, and so are not rounded as they would be alone.
    command.addAll(List.of("--max-batch", "1", "--speed", "0.05", "--set", "policy.warm-up=0s"));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder
        .environment()
        .putIfAbsent(Target.MOCK_VARIABLE, resources.resolve("mock-clusters/P300.yaml").toString());
    return builder.redirectOutput(log).start();
  }

  // The topics -----------------------------------------------------------------------------------

  private static long chunks(String broker) {
    String topic = KafkaSettings.defaults(broker).chunks();
    try (KafkaConsumer<byte[], byte[]> consumer = TopicReader.consumer(broker, Map.of())) {
      return consumer.listTopics().containsKey(topic)
          ? TopicReader.ends(consumer, List.of(topic)).values().stream()
              .mapToLong(Long::longValue)
              .sum()
          : 0;
    }
  }

  private static List<ConsumerRecord<byte[], byte[]>> read(String broker, String topic) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer = TopicReader.consumer(broker, Map.of())) {
      Map<TopicPartition, Long> ends = TopicReader.ends(consumer, List.of(topic));
      consumer.assign(ends.keySet());
      consumer.seekToBeginning(ends.keySet());
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
    }
    return records;
  }

  /** Each of the robots' observations is complete, so that each may have a session of its own. */
  private static ResolvedObservation resolved(ConsumerRecord<byte[], byte[]> record)
      throws Exception {
    SourcePosition place = new SourcePosition(record.topic(), record.partition(), record.offset());
    return ((SessionRules.Resolved)
            SessionRules.take(
                new ObservationDecoder(ObservationLimits.DEFAULT)
                    .decode(new SourceRecord(place, record.timestamp(), record.value())),
                new RememberedSession()))
        .observation();
  }
}
