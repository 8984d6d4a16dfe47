package dev.pi0stream.tests.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.job.cli.Main;
import dev.pi0stream.job.embedded.EmbeddedKafka;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code pi0 run} as a person starts it, with the shipped policy and episodes. */
@Timeout(300)
class RunITCase {
  private static final Path LEROBOT = Path.of("expected/lerobot-episodes.json");
  private static final String CHECKPOINT = "../examples/checkpoint";
  private static final String EPISODES = "../examples/episodes";

  @TempDir private Path directory;

  @Test
  void everyObservationIsAccountedForAndChunksAreAsGoodAsLeRobots() throws IOException {
    Ended run = run("--duration", "8s", "--speed", "1.5");
    assertThat(run.exitCode).as(run.output).isZero();
    assertThat(run.output)
        .contains("device      cpu, fp32")
        .contains("robots      12, one for each episode")
        .contains("cameras     top ← top, wrist ← wrist")
        .contains("topics observations, chunks, outcomes")
        .contains("web UI      http://");

    JsonNode summary = run.summary;
    long observations = summary.get("observations").asLong();
    // 12 robots at 15 steps a second for 8 seconds, and the step of the last moment; fewer where
    // the machine is too busy to play.
    assertThat(observations).isBetween(12L * 15 * 4, 12L * (15 * 8 + 1));
    assertAccounted(summary);
    assertThat(summary.get("rejected").asLong()).isZero();
    assertThat(summary.get("expired").asLong()).isZero();
    // Nothing supersedes a robot's last observation.
    assertThat(summary.get("chunks").asLong()).isGreaterThanOrEqualTo(12);
    assertThat(summary.get("batchSizeMean").asDouble()).isBetween(1.0, 8.0);
    assertThat(summary.get("latencyMillis").get("p50").asDouble()).isPositive();
    assertThat(summary.get("latencyMillis").get("p99").asDouble())
        .isGreaterThanOrEqualTo(summary.get("latencyMillis").get("p95").asDouble());

    // LeRobot's figure is over every frame once; here short episodes come more often, some frames
    // are superseded, and the noise is another.
    JsonNode lerobot = new ObjectMapper().readTree(LEROBOT.toFile());
    assertThat(summary.get("meanAbsErrorToLogged").asDouble())
        .isLessThan(1.3 * lerobot.at("/allFrames/meanAbsErrorToLogged").asDouble());
  }

  @Test
  void withSwappedCamerasTheChunksAreVisiblyWorse() throws IOException {
    Ended run =
        run("--duration", "5s", "--camera", "top=wrist", "--camera", "wrist=top", "--speed", "2");
    assertThat(run.exitCode).as(run.output).isZero();
    assertThat(run.output).contains("cameras     top ← wrist, wrist ← top");
    assertAccounted(run.summary);
    JsonNode lerobot = new ObjectMapper().readTree(LEROBOT.toFile());
    assertThat(run.summary.get("meanAbsErrorToLogged").asDouble())
        .isGreaterThan(0.7 * lerobot.at("/wrong/camerasSwapped/meanAbsErrorToLogged").asDouble());
  }

  @Test
  void aRunningBrokerServesOneRunAfterTheOther() throws IOException {
    try (EmbeddedKafka broker = EmbeddedKafka.start(0)) {
      for (int i = 0; i < 2; i++) {
        Ended run = run("--duration", "2s", "--kafka", broker.bootstrapServers());
        assertThat(run.exitCode).as(run.output).isZero();
        assertThat(run.output).contains("kafka       " + broker.bootstrapServers() + ";");
        assertThat(run.summary.get("observations").asLong()).isBetween(12L, 12L * 21);
        assertThat(run.summary.get("chunks").asLong()).isGreaterThanOrEqualTo(12);
        assertThat(run.summary.get("rejected").asLong()).isZero();
        assertAccounted(run.summary);
      }
    }
  }

  @Test
  @Tag("long")
  void twoMinutesAtThreeTimesTheSpeedLoseNothing() throws IOException {
    Ended run = run("--duration", "2m", "--speed", "3");
    assertThat(run.exitCode).as(run.output).isZero();
    assertAccounted(run.summary);
    assertThat(run.summary.get("observations").asLong()).isGreaterThan(12L * 30 * 60);
    assertThat(run.summary.get("rejected").asLong()).isZero();
    assertThat(run.summary.get("expired").asLong()).isZero();
  }

  @Test
  void whatCannotStartIsOneSentence() throws IOException {
    refused("has no such camera; the policy's cameras are [top, wrist]", "--camera", "left=top");
    refused("the dataset has no such camera", "--camera", "top=left");
    refused("is not a directory, but a LeRobot dataset is one", "--robots", "nothing");
    refused("nothing: there is no such folder", "--checkpoint", "nothing");
    refused("speed is -1.0: expected more than 0", "--speed", "-1");
    refused("'soon' is no duration", "--duration", "soon");
    refused("device 'gpu': expected one of", "--device", "gpu");
    refused("computes in fp32 only", "--device", "reference", "--precision", "bf16");
    refused("precision 'fp16': expected one of", "--precision", "fp16");
    refused("Kafka broker localhost:1", "--kafka", "localhost:1");
  }

  private void refused(String sentence, String... arguments) throws IOException {
    Ended run = run(arguments);
    assertThat(run.exitCode).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(run.errors).contains(sentence);
    assertThat(run.summary).isNull();
  }

  private static void assertAccounted(JsonNode summary) {
    assertThat(
            summary.get("chunks").asLong()
                + summary.get("superseded").asLong()
                + summary.get("expired").asLong()
                + summary.get("rejected").asLong())
        .isEqualTo(summary.get("observations").asLong());
  }

  private Ended run(String... arguments) throws IOException {
    Path json = Files.createTempDirectory(directory, "run").resolve("out.json");
    List<String> all = new ArrayList<>(List.of("run", "--json", json.toString()));
    if (!List.of(arguments).contains("--checkpoint")) {
      all.addAll(List.of("--checkpoint", CHECKPOINT));
    }
    if (!List.of(arguments).contains("--robots")) {
      all.addAll(List.of("--robots", EPISODES));
    }
    all.addAll(Arrays.asList(arguments));
    StringWriter output = new StringWriter();
    StringWriter errors = new StringWriter();
    int exitCode =
        Main.commandLine()
            .setOut(new PrintWriter(output))
            .setErr(new PrintWriter(errors))
            .execute(all.toArray(String[]::new));
    return new Ended(
        exitCode,
        output.toString(),
        errors.toString(),
        Files.exists(json) ? new ObjectMapper().readTree(json.toFile()) : null);
  }

  /** How a command ended. */
  private record Ended(int exitCode, String output, String errors, JsonNode summary) {}
}
