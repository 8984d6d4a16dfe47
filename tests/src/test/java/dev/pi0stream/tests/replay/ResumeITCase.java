package dev.pi0stream.tests.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.job.cli.Main;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ContainerFile;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.avro.file.DataFileReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A replay in a process of its own that is ended half-way, and goes on in this one. */
@Timeout(300)
class ResumeITCase {
  private static final Duration START = Duration.ofMinutes(2);
  private static final int FRAMES = 428;

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsEndedHalfWayGoesOnWithoutGapOrRepeat(boolean killed) throws Exception {
    Path work = directory.resolve("work");
    Path log = directory.resolve("child.log");
    Process child =
        new ProcessBuilder(command(work))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      awaitAnswers(work, child, log);
      if (killed) {
        child.destroyForcibly();
      } else {
        child.destroy();
      }
      assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      child.destroyForcibly();
    }
    if (!killed) {
      assertThat(Files.readString(log)).contains("the same command goes on");
      assertThat(child.exitValue()).isEqualTo(1);
    }
    int before = chunks(work).size();
    assertThat(before).isBetween(1, FRAMES - 1);
    assertThat(work.resolve("job/finished")).doesNotExist();

    Path json = directory.resolve("out.json");
    List<String> arguments = arguments(work);
    arguments.addAll(List.of("--json", json.toString()));
    CommandLineRun resumed = CommandLineRun.of(arguments.toArray(String[]::new));
    assertThat(resumed.code()).as(resumed.err()).isZero();
    assertThat(resumed.out()).contains("goes on with %,d answers".formatted(before));
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    assertThat(result.get("frames").asInt()).isEqualTo(FRAMES);
    assertThat(result.get("chunks").asInt()).isEqualTo(FRAMES);
    List<String> all = chunks(work);
    Set<String> distinct = new HashSet<>(all);
    assertThat(all).hasSize(FRAMES);
    assertThat(distinct).hasSize(FRAMES);

    CommandLineRun again = CommandLineRun.of(arguments.toArray(String[]::new));
    assertThat(again.code()).isZero();
    assertThat(again.out()).contains("has every answer already");
  }

  @Test
  void aWorkFolderOfAnotherReplayIsRefused() throws IOException {
    Path work = directory.resolve("other");
    Files.createDirectories(work.resolve("job"));
    Files.writeString(work.resolve("job/notes.txt"), "mine");
    CommandLineRun foreign = CommandLineRun.of(arguments(work).toArray(String[]::new));
    assertThat(foreign.code()).isEqualTo(2);
    assertThat(foreign.err()).contains("holds notes.txt, which is no replay's");

    Files.delete(work.resolve("job/notes.txt"));
    Files.writeString(work.resolve("job/replay.json"), "{\"checkpoint\": \"another\"}");
    CommandLineRun another = CommandLineRun.of(arguments(work).toArray(String[]::new));
    assertThat(another.code()).isEqualTo(2);
    assertThat(another.err())
        .contains("holds another replay: its checkpoint is \"another\", here it is \"");
  }

  private static List<String> arguments(Path work) {
    return new ArrayList<>(
        List.of(
            "replay",
            "--dataset",
            "../examples/episodes",
            "--checkpoint",
            "../examples/checkpoint",
            "--max-batch",
            "2",
            "--checkpoint-interval",
            "200ms",
            "--work",
            work.toString()));
  }

  private static List<String> command(Path work) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djava.awt.headless=true",
                "-Xmx1g",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    command.addAll(arguments(work));
    return command;
  }

  /** Waits until some answers are there for good. */
  private static void awaitAnswers(Path work, Process child, Path log)
      throws IOException, InterruptedException {
    long latest = System.nanoTime() + START.toNanos();
    while (chunks(work).size() < 20) {
      assertThat(child.isAlive()).as(() -> read(log)).isTrue();
      assertThat(System.nanoTime()).as("answers in time").isLessThan(latest);
      Thread.sleep(20);
    }
  }

  private static String read(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** The identities of the chunks in the files that are complete. */
  private static List<String> chunks(Path work) throws IOException {
    List<String> identities = new ArrayList<>();
    Path folder = work.resolve("job/chunks");
    if (!Files.isDirectory(folder)) {
      return identities;
    }
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(file -> !file.getFileName().toString().startsWith(".")).toList();
    }
    for (Path file : files) {
      try (DataFileReader<ActionChunk> chunks = ContainerFile.chunks().open(file)) {
        for (ActionChunk chunk : chunks) {
          identities.add(chunk.getEpisode() + "/" + chunk.getSequence());
        }
      }
    }
    return identities;
  }
}
