package dev.pi0stream.job.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.pi0stream.device.Precision;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.telemetry.TelemetrySettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationTest {
  private static final Path SHIPPED = Path.of("../conf/pi0.yaml");

  private static final Duration REHEARSAL = Duration.ofSeconds(8);

  @TempDir private Path directory;

  @Test
  void whatIsNotSaidHasItsFallback() {
    Configuration nothing = Configuration.fallbacks();
    JobSettings job = Settings.job(nothing);

    assertThat(job)
        .isEqualTo(
            JobSettings.defaults(
                new EngineSpec("examples/checkpoint", "cpu", "fp32", 8).warmedUp(REHEARSAL)));
    assertThat(nothing.find(Settings.BOOTSTRAP_SERVERS)).isEmpty();
    assertThat(nothing.isGiven(Settings.DEVICE)).isFalse();
  }

  @Test
  void theJobNeedsABroker() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Settings.kafka(Configuration.fallbacks()))
        .withMessage(
            "kafka.bootstrap-servers is not set: expected host:port, or several separated by commas"
                + " without blanks");
  }

  @Test
  void aFileSaysHowTheJobServes() throws IOException {
    Configuration file =
        read(
            """
            # A comment.
            policy:
              checkpoint: /models/pi05
              device: reference
              max-batch: 3
            job: {parallelism: 2, timeout: 1m30s, checkpoint-interval: 250ms}
            kafka:
              bootstrap-servers: "one:9092,two:9093"
              start: earliest
              topics: {observations: seen}
              create:
                retention: 2h
            limits:
              cameras: 4
            """);

    JobSettings job = Settings.job(file);
    assertThat(job.engine())
        .isEqualTo(new EngineSpec("/models/pi05", "reference", "fp32", 3).warmedUp(REHEARSAL));
    assertThat(job.parallelism()).isEqualTo(2);
    assertThat(job.timeout()).isEqualTo(Duration.ofSeconds(90));
    assertThat(job.checkpointInterval()).isEqualTo(Duration.ofMillis(250));
    assertThat(job.sessionTimeToLive()).isEqualTo(Duration.ofHours(1));
    assertThat(job.limits().cameras()).isEqualTo(4);
    assertThat(Settings.kafka(file))
        .isEqualTo(
            new KafkaSettings(
                "one:9092,two:9093",
                "seen",
                "chunks",
                "outcomes",
                "telemetry",
                "pi0-stream",
                KafkaSettings.Start.EARLIEST));
    assertThat(Settings.topics(file).retention()).contains(Duration.ofHours(2));
    assertThat(Settings.topics(file).replication()).isEmpty();
  }

  @Test
  void robotsDevicesAndTelemetryAreSaidToo() throws IOException {
    JobSettings job =
        Settings.job(
            read(
                """
                policy: {device: "cpu:0,cpu:1", reuse-mebibytes: 3, warm-up: 0s, hangs-after: 5s}
                job: {roster: "left arm, right arm"}
                telemetry: {control-period: 100ms}
                """));

    assertThat(job.engine())
        .isEqualTo(
            new EngineSpec(
                "examples/checkpoint",
                "cpu:0,cpu:1",
                "fp32",
                8,
                3L << 20,
                Duration.ZERO,
                Duration.ofSeconds(5)));
    assertThat(job.roster()).containsExactly("left arm", "right arm");
    assertThat(job.telemetry())
        .contains(TelemetrySettings.DEFAULT.controlledEvery(Duration.ofMillis(100)));
    assertThat(
            Settings.job(
                    Configuration.fallbacks().with(List.of("telemetry.enabled=false"), "--set"))
                .telemetry())
        .isEmpty();
  }

  @Test
  void anAssignmentIsStrongerThanTheFile() throws IOException {
    Configuration both =
        read("policy: {precision: fp32, max-batch: 2}")
            .with(List.of("policy.precision=bf16", "kafka.group=a=b"), "--set");

    assertThat(both.get(Settings.PRECISION)).isEqualTo(Precision.BF16);
    assertThat(both.get(Settings.MAX_BATCH)).isEqualTo(2);
    assertThat(both.get(Settings.GROUP)).isEqualTo("a=b");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          policy.devise=cpu | there is no setting policy.devise: the nearest one is policy.device
          device=cpu | there is no setting device: the nearest one is policy.device
          job.paralellism=2 | there is no setting job.paralellism: the nearest one is job.parallelism
          policy=cpu | there is no setting policy: the nearest one is policy.device
          policy.device=gpu | policy.device is 'gpu': expected one of cpu, reference, tt; or devices by their numbers
          policy.device=cpu:0,tpu:1 | policy.device is 'cpu:0,tpu:1': expected one of cpu, reference
          telemetry.enabled=yes | telemetry.enabled is 'yes': expected true or false
          policy.precision=FP32 | policy.precision is 'FP32': expected one of fp32, bf16, bfp8, int8
          policy.max-batch=0 | policy.max-batch is '0': expected a whole number from 1 to 1024
          policy.max-batch=8.0 | policy.max-batch is '8.0': expected a whole number from 1 to 1024
          policy.checkpoint= | policy.checkpoint is empty: expected the folder of a checkpoint
          job.timeout=60 | job.timeout is '60': expected a time such as 500ms, 20s, 5m or 1h30m
          job.timeout=0s | job.timeout is '0s': expected a time such as 500ms, 20s, 5m or 1h30m
          kafka.start=newest | kafka.start is 'newest': expected one of earliest, latest, committed
          kafka.bootstrap-servers=kafka | kafka.bootstrap-servers is 'kafka': expected host:port, or several
          kafka.topics.chunks=../x | kafka.topics.chunks is '../x': expected at most 249 letters
          policy.device | 'policy.device': expected KEY=VALUE
          """)
  void whatIsWrongIsRefusedInOneSentence(String assignment, String sentence) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Configuration.fallbacks().with(List.of(assignment), "--set"))
        .withMessageStartingWith("--set")
        .withMessageContaining(sentence)
        .withMessageNotContaining("\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          policy:\\n  devise: cpu | line 2: there is no setting policy.devise: the nearest one is policy.device
          polcy:\\n  device: cpu | line 2: there is no section polcy: the nearest one is policy
          # one\\n\\njob:\\n  timeout: soon | line 4: job.timeout is 'soon': expected a time
          job:\\n  timeout: | line 2: job.timeout is empty: expected a time
          job:\\n  timeout: [1s] | line 2: job.timeout is a list: expected one value
          job: fast | line 1: job is 'fast': expected settings by their names
          - job | line 1: the file is a list: expected settings by their names
          job:\\n  timeout: 1s\\n  timeout: 2s | line 3: job.timeout is given a second time, before that in line 2
          job: {timeout: 1s}\\nkafka: {start: latest}\\njob: {in-flight: 5} | line 3: job is given a second time, before that in line 1
          job:\\n\\ttimeout: 1s | line 2 is not YAML: found character
          job: {timeout: 1s | is not YAML:
          """)
  void aFileThatIsWrongIsRefusedWithItsLine(String text, String sentence) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> read(text.replace("\\n", "\n").replace("\\t", "\t")))
        .withMessageStartingWith(directory.resolve("settings.yaml").toString())
        .withMessageContaining(sentence);
  }

  @Test
  void aFileThatNamesItselfEndsInASentenceToo() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> read("job: &job\n  timeout: 1s\n  more: *job\n"))
        .withMessageContaining("there is no section job.more: the nearest one is");
  }

  @Test
  void aFileThatCannotBeReadIsRefused() throws IOException {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Configuration.read(Path.of("nowhere.yaml")))
        .withMessage("nowhere.yaml: there is no such file");
    Path latin = directory.resolve("latin.yaml");
    Files.write(latin, "policy: {checkpoint: größer}".getBytes(StandardCharsets.ISO_8859_1));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Configuration.read(latin))
        .withMessage(latin + " is no text in UTF-8");
  }

  @Test
  void anEmptyFileSaysNothing() throws IOException {
    assertThat(Settings.job(read("# Nothing yet.\n")))
        .isEqualTo(Settings.job(Configuration.fallbacks()));
  }

  @Test
  void theShippedFileSaysEverySetting() {
    Configuration shipped = Configuration.read(SHIPPED);

    assertThat(Settings.ALL).allMatch(shipped::isGiven);
  }

  @Test
  void theReferencePageIsWhatTheCodeSays() throws IOException {
    assertThat(Path.of("../docs/configuration.md"))
        .as("written by ./pi0 config --page > docs/configuration.md")
        .content()
        .isEqualTo(ReferencePage.text());
  }

  @Test
  void everySettingIsOnThePage() {
    assertThat(ReferencePage.text().lines().filter(line -> line.startsWith("| `")))
        .hasSameSizeAs(Settings.ALL);
  }

  private Configuration read(String text) throws IOException {
    return Configuration.read(Files.writeString(directory.resolve("settings.yaml"), text));
  }
}
