package dev.pi0stream.tests.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.job.embedded.EmbeddedKafka;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A live run that is recorded and then replayed. */
@Timeout(300)
class RecordingITCase {
  @TempDir private Path directory;

  @Test
  void aRecordedRunGivesEqualChunksOnTheProcessorOneByOne() throws IOException {
    assertEqualChunks("cpu", "0.5", "--max-batch", "1");
    Path chunks = directory.resolve("recording/chunks");
    JsonNode named =
        run(
            "replay",
            "--dataset",
            directory.resolve("recording").toString(),
            "--max-batch",
            "1",
            "--against-log",
            chunks.toString());
    assertThat(named.at("/againstLog/equal").asInt()).isPositive();
    assertThat(named.at("/againstLog/maxAbs").asDouble()).isZero();
  }

  @Test
  @Tag("long")
  void aRecordedRunGivesEqualChunksOnTheReferenceInAnyBatch() throws IOException {
    assertEqualChunks("reference", "0.3", "--max-batch", "8");
  }

  @Test
  void whatABrokerHoldsIsRecordedAndReplayedExactlyOnceToTopics() throws IOException {
    Path recording = directory.resolve("range");
    try (EmbeddedKafka broker = EmbeddedKafka.start(0)) {
      JsonNode run =
          run(
              "run",
              "--robots",
              "../examples/episodes",
              "--duration",
              "1s",
              "--kafka",
              broker.bootstrapServers());
      JsonNode counts = run("record", "--kafka", broker.bootstrapServers(), recording.toString());
      assertThat(counts.get("observations").asInt()).isEqualTo(run.get("observations").asInt());
      assertThat(counts.get("chunks").asInt()).isEqualTo(run.get("chunks").asInt());
      JsonNode replay =
          run("replay", "--dataset", recording.toString(), "--kafka", broker.bootstrapServers());
      assertThat(replay.get("frames").asInt()).isEqualTo(run.get("observations").asInt());
      assertThat(replay.get("chunks").asInt()).isEqualTo(run.get("observations").asInt());
      assertThat(ReplayTopics.committed(broker.bootstrapServers(), "replay-chunks"))
          .hasSize(replay.get("chunks").asInt())
          .doesNotHaveDuplicates();
    }
    CommandLineRun full =
        CommandLineRun.of(
            "run",
            "--robots",
            "../examples/episodes",
            "--checkpoint",
            "../examples/checkpoint",
            "--record",
            recording.toString());
    assertThat(full.code()).isEqualTo(2);
    assertThat(full.err()).contains("is not empty");
  }

  @Test
  void whatIsNoRecordingIsRefused() throws IOException {
    Path empty = directory.resolve("empty");
    Files.createDirectories(empty.resolve("observations"));
    refused("is a recording without observations", empty);
    Path broken = directory.resolve("broken");
    Files.createDirectories(broken.resolve("observations"));
    Files.writeString(broken.resolve("observations/partition-000.avro"), "garbage");
    refused("partition-000.avro cannot be read as an Avro container file of observations", broken);
    CommandLineRun nothing =
        CommandLineRun.of(
            "replay",
            "--dataset",
            "../tests/datasets/images",
            "--checkpoint",
            "../examples/checkpoint",
            "--stride",
            "20",
            "--against-log",
            directory.resolve("nothing").toString());
    assertThat(nothing.code()).isEqualTo(2);
    assertThat(nothing.err()).contains("nothing is not there");
  }

  private void assertEqualChunks(String device, String speed, String... batch) throws IOException {
    Path recording = directory.resolve("recording");
    List<String> live =
        new ArrayList<>(
            List.of(
                "run",
                "--robots",
                "../examples/episodes",
                "--device",
                device,
                "--duration",
                "2s",
                "--speed",
                speed,
                "--record",
                recording.toString()));
    live.addAll(Arrays.asList(batch));
    JsonNode run = run(live.toArray(String[]::new));
    List<String> replay =
        new ArrayList<>(List.of("replay", "--dataset", recording.toString(), "--device", device));
    replay.addAll(Arrays.asList(batch));
    JsonNode result = run(replay.toArray(String[]::new));
    // A replay also answers what was superseded when it was live.
    assertThat(result.get("frames").asInt()).isEqualTo(run.get("observations").asInt());
    assertThat(result.get("chunks").asInt()).isEqualTo(run.get("observations").asInt());
    JsonNode difference = result.get("againstLog");
    assertThat(difference.get("compared").asInt())
        .isEqualTo(run.get("chunks").asInt())
        .isPositive();
    assertThat(difference.get("equal").asInt()).isEqualTo(run.get("chunks").asInt());
    assertThat(difference.get("maxAbs").asDouble()).isZero();
    assertThat(difference.get("onlyOther").asInt()).isZero();
  }

  private static void refused(String sentence, Path recording) {
    CommandLineRun run =
        CommandLineRun.of(
            "replay", "--dataset", recording.toString(), "--checkpoint", "../examples/checkpoint");
    assertThat(run.err()).contains(sentence);
    assertThat(run.code()).isEqualTo(2);
  }

  private JsonNode run(String... arguments) throws IOException {
    Path json = Files.createTempDirectory(directory, "run").resolve("out.json");
    List<String> all = new ArrayList<>(Arrays.asList(arguments));
    if (!arguments[0].equals("record")) {
      all.addAll(List.of("--checkpoint", "../examples/checkpoint"));
    }
    all.addAll(List.of("--json", json.toString()));
    CommandLineRun run = CommandLineRun.of(all.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return new ObjectMapper().readTree(json.toFile());
  }
}
