package dev.pi0stream.device.tt.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A JVM of its own for one mock board, with the class path of the tests. The class that it runs has
 * a {@code main} method; what that prints is the result.
 *
 * <pre>{@code
 * @ParameterizedTest
 * @EnumSource
 * void linearsFit(MockBoard board) {
 *   assertThat(BoardProcess.run(board, Linears.class)).contains("...");
 * }
 * }</pre>
 */
public final class BoardProcess {
  private static final long MINUTES = 10;

  private BoardProcess() {}

  /**
   * Runs a class to its end.
   *
   * @return the lines that it printed, on both streams
   * @throws AssertionError with what it printed, where it did not end with exit code 0
   */
  public static List<String> run(MockBoard board, Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx2g"));
    command.addAll(List.of("-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put(Target.MOCK_VARIABLE, board.descriptor().toString());
    Process process = builder.start();
    process.getOutputStream().close();
    List<String> lines =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();
    if (!process.waitFor(MINUTES, TimeUnit.MINUTES) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new AssertionError(
          "%s on %s ended with %s:%n%s"
              .formatted(main.getName(), board, process, String.join("\n", lines)));
    }
    return lines;
  }
}
