package dev.pi0stream.device.tt.host;

import dev.pi0stream.device.DeviceException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** Installs TTNN, with the script {@code install-ttnn} that lies beside this class. */
public final class TtnnInstaller {
  private static final String SCRIPT = "install-ttnn";
  private static final List<String> FILES = List.of(SCRIPT, "standin-compiler", "empty_kernel.py");

  private TtnnInstaller() {}

  /**
   * Makes a virtual environment with TTNN, or brings one up to date.
   *
   * @param lines is given what the script says; its last line is the variable to set
   * @throws DeviceException where it cannot be installed, with the script's reason
   */
  public static void install(Path directory, Consumer<String> lines) {
    try {
      Path folder = Files.createTempDirectory("pi0-stream-install-");
      try {
        for (String file : FILES) {
          try (InputStream in = TtnnInstaller.class.getResourceAsStream(file)) {
            Files.copy(in, folder.resolve(file));
          }
        }
        run(folder.resolve(SCRIPT), directory, lines);
      } finally {
        for (String file : FILES) {
          Files.deleteIfExists(folder.resolve(file));
        }
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new DeviceException("ttnn cannot be installed: " + e, e);
    }
  }

  private static void run(Path script, Path directory, Consumer<String> lines) throws IOException {
    Process process =
        new ProcessBuilder("bash", script.toString(), directory.toString())
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String last = "the script said nothing";
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.accept(line);
        last = line;
      }
      if (process.waitFor() != 0) {
        throw new DeviceException(last.replaceFirst("^install-ttnn: ", ""));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DeviceException("the installation of ttnn was interrupted", e);
    } finally {
      process.destroy();
    }
  }
}
