package dev.pi0stream.device.tt.python;

import dev.pi0stream.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A virtual environment of Python: a folder with {@code pyvenv.cfg}, which names the installation
 * that it was made with.
 *
 * @param directory the folder, absolute
 * @param library the installation's shared library
 */
public record Venv(Path directory, Path library) {
  /** The version of Python that this binding is made for, as in names of its files. */
  public static final String VERSION = "3.12";

  private static final String CONFIGURATION = "pyvenv.cfg";
  private static final String LIBRARY = "libpython" + VERSION + ".so";

  /**
   * Looks at a virtual environment.
   *
   * @throws DeviceException where there is none, or Java cannot use it, with what to do about it
   */
  public static Venv open(Path folder) {
    Path directory = folder.toAbsolutePath().normalize();
    Path file = directory.resolve(CONFIGURATION);
    if (!Files.isRegularFile(file)) {
      throw new DeviceException(
          "%s is not a virtual environment of Python: it has no %s"
              .formatted(directory, CONFIGURATION));
    }
    Map<String, String> configuration = read(file);
    String version = configuration.getOrDefault("version", configuration.get("version_info"));
    if (version == null || !(version + ".").startsWith(VERSION + ".")) {
      throw new DeviceException(
          "%s is of Python %s, expected %s".formatted(directory, version, VERSION));
    }
    String home = configuration.get("home");
    if (home == null) {
      throw new DeviceException("%s does not say where Python is: no 'home'".formatted(file));
    }
    return new Venv(directory, library(directory, Path.of(home)));
  }

  /** The interpreter of the environment, as a program. */
  public Path python() {
    return directory.resolve("bin/python");
  }

  /** Where the environment's packages are. */
  public Path packages() {
    return directory.resolve("lib/python" + VERSION + "/site-packages");
  }

  private static Map<String, String> read(Path file) {
    try {
      return Files.readAllLines(file).stream()
          .map(line -> line.split("=", 2))
          .filter(entry -> entry.length == 2)
          .collect(
              Collectors.toMap(entry -> entry[0].strip(), entry -> entry[1].strip(), (a, b) -> a));
    } catch (IOException e) {
      throw new DeviceException("%s cannot be read: %s".formatted(file, e), e);
    }
  }

  /** The shared library beside an installation's programs, or where Debian has it. */
  private static Path library(Path directory, Path home) {
    if (!Files.isDirectory(home)) {
      throw new DeviceException(
          "%s was made with the Python in %s, which is gone: make it again"
              .formatted(directory, home));
    }
    Path installation = home.resolveSibling("lib");
    // CPython ends the process when it starts without its library of modules.
    if (!Files.isDirectory(installation.resolve("python" + VERSION + "/encodings"))) {
      throw new DeviceException(
          "the Python in %s is not complete: no %s"
              .formatted(home, installation.resolve("python" + VERSION + "/encodings")));
    }
    return List.of("lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu").stream()
        .map(folder -> home.resolveSibling(folder))
        .flatMap(folder -> List.of(LIBRARY, LIBRARY + ".1.0").stream().map(folder::resolve))
        .filter(Files::exists)
        .findFirst()
        .orElseThrow(
            () ->
                new DeviceException(
                    "the Python in %s has no %s, which Java loads: take one that is built with"
                            .formatted(home, LIBRARY)
                        + " --enable-shared"));
  }
}
