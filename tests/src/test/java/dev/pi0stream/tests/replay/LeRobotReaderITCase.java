package dev.pi0stream.tests.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * LeRobot's own reader opens the dataset that a replay wrote, and finds in it what the replayed one
 * has. Needs a Python with LeRobot: {@code PI0_LEROBOT_PYTHON}, or {@code python3}.
 */
@Tag("long")
@Timeout(300)
class LeRobotReaderITCase {
  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({
    "../examples/episodes,428,12",
    "../tests/datasets/images,58,4",
    "../tests/datasets/v21,165,5"
  })
  void whatIsWrittenIsRead(String source, int frames, int episodes) throws Exception {
    String python = System.getenv().getOrDefault("PI0_LEROBOT_PYTHON", "python3");
    assumeThat(run(List.of(python, "-c", "import lerobot.datasets.lerobot_dataset")).code())
        .as("%s has LeRobot; PI0_LEROBOT_PYTHON names one that has", python)
        .isZero();
    Path target = directory.resolve("annotated");
    CommandLineRun replay =
        CommandLineRun.of(
            "replay",
            "--dataset",
            source,
            "--checkpoint",
            "../examples/checkpoint",
            "--stride",
            "7",
            "--lerobot",
            target.toString());
    assertThat(replay.code()).as(replay.err()).isZero();
    Ended read =
        run(
            List.of(
                python,
                "src/test/python/read_annotated.py",
                target.toString(),
                source.endsWith("v21") ? "" : source,
                "7"));
    assertThat(read.code()).as(read.output()).isZero();
    assertThat(read.output()).contains("%d frames, %d episodes".formatted(frames, episodes));
  }

  private record Ended(int code, String output) {}

  private Ended run(List<String> command) throws InterruptedException {
    Path log = directory.resolve("python.log");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
      builder.environment().put("HF_HUB_OFFLINE", "1");
      Process process = builder.start();
      if (!process.waitFor(240, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return new Ended(-1, "it takes too long");
      }
      return new Ended(process.exitValue(), Files.readString(log));
    } catch (IOException e) {
      return new Ended(-1, e.toString());
    }
  }
}
