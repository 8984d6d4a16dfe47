package dev.pi0stream.device.tt.host;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.UserCache;
import dev.pi0stream.device.tt.python.Venv;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A virtual environment of Python that holds TTNN in the version that this project is made for.
 *
 * @param venv the environment
 */
public record TtnnInstallation(Venv venv) {
  /** The version; TTNN changes signatures between versions. */
  public static final String VERSION = "0.81.1";

  /** The environment variable that names the virtual environment. */
  public static final String VARIABLE = "PI0_TTNN";

  /** The system property that names it; it wins over the variable. */
  public static final String PROPERTY = "pi0.ttnn.venv";

  /** The line by which our stand-in for the kernel compiler is known. */
  private static final String STAND_IN = "stand-in of pi0-stream";

  private static final String COMPILER = "compiler/bin/riscv-tt-elf-g++";

  /** Where it is looked for, and where it is installed: property, variable, the user's cache. */
  public static Path directory(Machine machine) {
    String named = System.getProperty(PROPERTY, machine.environment().getOrDefault(VARIABLE, ""));
    return named.isBlank()
        ? UserCache.directory(machine.environment()).resolve("ttnn")
        : Path.of(named);
  }

  /**
   * Looks where {@link #directory} says.
   *
   * @throws DeviceException where there is none that can be used, with what to do about it
   */
  public static TtnnInstallation find(Machine machine) {
    return open(directory(machine));
  }

  /** As {@link #find}, in a folder. */
  public static TtnnInstallation open(Path directory) {
    Optional<String> problem = problem(directory);
    if (problem.isPresent()) {
      throw new DeviceException(
          "%s; `pi0 devices --install-ttnn %s` installs ttnn %s, %s names another folder"
              .formatted(problem.get(), directory, VERSION, VARIABLE));
    }
    return new TtnnInstallation(Venv.open(directory));
  }

  /** Why TTNN cannot be used from a folder, or nothing. */
  static Optional<String> problem(Path directory) {
    List<String> versions;
    try {
      versions = versions(Venv.open(directory));
    } catch (DeviceException e) {
      return Optional.of(e.getMessage());
    }
    if (versions.equals(List.of(VERSION))) {
      return Optional.empty();
    }
    return Optional.of(
        "%s has %s, expected ttnn %s"
            .formatted(
                directory,
                versions.isEmpty() ? "no ttnn" : "ttnn " + String.join(" and ", versions),
                VERSION));
  }

  /** By the folder that pip leaves beside a package. */
  private static List<String> versions(Venv venv) {
    if (!Files.isDirectory(venv.packages().resolve("ttnn"))) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(venv.packages())) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("ttnn-") && name.endsWith(".dist-info"))
          .map(name -> name.substring("ttnn-".length(), name.length() - ".dist-info".length()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(venv.packages() + " cannot be listed", e);
    }
  }

  /** The compiler that TTNN would take for its kernels: its own folder's, then the system's. */
  public Optional<Path> compiler(Machine machine) {
    return Stream.of(bundled(), machine.root().resolve("opt/tenstorrent/sfpi").resolve(COMPILER))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Whether TTNN would take our stand-in, which makes kernels that do nothing. */
  public boolean hasStandIn() {
    try (Stream<String> lines = Files.lines(bundled())) {
      return lines.limit(3).anyMatch(line -> line.contains(STAND_IN));
    } catch (IOException | UncheckedIOException e) {
      // No file, or a program.
      return false;
    }
  }

  private Path bundled() {
    return venv.packages().resolve("ttnn/runtime/sfpi").resolve(COMPILER);
  }
}
