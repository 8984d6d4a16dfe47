package dev.pi0stream.tests.tenstorrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.TtDevice;
import dev.pi0stream.model.checkpoint.RandomWeights;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every operation of a policy of the published size is accepted by TTNN, on every board. */
class FullSizeTest {
  private static final int VISION_LAYERS = 27;
  private static final int LAYERS = 18;
  private static final long MOST_OPERATIONS = 3_700;
  private static final Path PAGE = Path.of("../docs/tenstorrent-boards.md");

  @Test
  void aChunkIsOfFewOperationsAndLeavesNothingBehind() {
    try (TtDevice device = MockChips.open(MockChips.REPLAYING, Precision.BFP8)) {
      FullSize.Chunk two = FullSize.chunk(device, RandomWeights.Size.PI0, 2);
      FullSize.Chunk three = FullSize.chunk(device, RandomWeights.Size.PI0, 3);
      // A layer of each stack more; the tower has more layers than the others, of ten operations.
      long whole =
          two.operations()
              + (LAYERS - 2) * (three.operations() - two.operations())
              + (VISION_LAYERS - LAYERS) * 10L;
      assertThat(whole).isLessThan(MOST_OPERATIONS);
      // Pixels, prompt, state and noise; masks and rotations are there from the last time.
      assertThat(two.replayed().uploads()).isEqualTo(4);
      assertThat(two.replayed().calls()).isLessThan(100);
      System.out.printf("host's time for a replayed chunk, µs: %s%n", two.hostMicros());
    }
  }

  @ParameterizedTest
  @Tag("long")
  @CsvSource({
    "P100, pi0", "P100, pi05",
    "P150, pi0", "P150, pi05",
    "P300, pi0", "P300, pi05",
    "N150, pi0", "N150, pi05",
    "N300, pi0", "N300, pi05"
  })
  void everyBoardHoldsAPolicy(String board, String size) throws IOException, InterruptedException {
    try (TtDevice any = MockChips.open(MockChips.REPLAYING, Precision.BFP8)) {
      assertThat(any.chip().tensors()).isZero(); // or TTNN is not here, and the test is skipped
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx3g"));
    command.addAll(List.of("-Dstdout.encoding=UTF-8", "-cp", classPath()));
    command.addAll(List.of(FullSize.class.getName(), board, size));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    StringBuilder printed = new StringBuilder();
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        System.out.println(line);
        printed.append(line).append('\n');
      }
    }
    assertThat(process.waitFor()).as(printed.toString()).isZero();
    assertThat(GeneratedSections.check(PAGE, printed.toString())).isEqualTo(2);
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }
}
