package dev.pi0stream.device.tt.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A machine made of files in a folder: its kernel's, a Python's and a virtual environment's. */
final class FakeMachine {
  private final Path folder;
  private final Path root;
  private final Map<String, String> environment = new HashMap<>();

  FakeMachine(Path folder) throws IOException {
    this.folder = folder;
    root = Files.createDirectory(folder.resolve("root"));
    environment.put(TtnnInstallation.VARIABLE, venv().toString());
    environment.put("XDG_CACHE_HOME", folder.resolve("cache").toString());
  }

  Machine machine() {
    return new Machine(root, environment);
  }

  Machine with(String name, String value) {
    Map<String, String> more = new HashMap<>(environment);
    more.put(name, value);
    return new Machine(root, more);
  }

  Path root() {
    return root;
  }

  /** The installation of Python, which need not be there. */
  Path python() {
    return folder.resolve("python");
  }

  /** The virtual environment, which need not be there. */
  Path venv() {
    return folder.resolve("venv");
  }

  Path packages() {
    return venv().resolve("lib/python3.12/site-packages");
  }

  Path bundledCompiler() {
    return packages().resolve("ttnn/runtime/sfpi/compiler/bin/riscv-tt-elf-g++");
  }

  void addCard(int index, String device, String board, String iommu) throws IOException {
    write(root.resolve("dev/tenstorrent/" + index), "");
    Path attributes = root.resolve("sys/class/tenstorrent/tenstorrent!" + index);
    write(attributes.resolve("device/device"), device + "\n");
    write(attributes.resolve("device/iommu_group/type"), iommu + "\n");
    write(attributes.resolve("tt_card_type"), board + "\n");
  }

  void addVenv(String version, boolean shared) throws IOException {
    Files.createDirectories(python().resolve("bin"));
    Files.createDirectories(python().resolve("lib/python3.12/encodings"));
    if (shared) {
      write(python().resolve("lib/libpython3.12.so"), "");
    }
    write(
        venv().resolve("pyvenv.cfg"),
        "home = %s%nversion = %s%n".formatted(python().resolve("bin"), version));
  }

  void addTtnn(String version) throws IOException {
    Files.createDirectories(packages().resolve("ttnn-%s.dist-info".formatted(version)));
    write(
        packages().resolve("ttnn/tt_metal/sfpi-version"),
        "# a release\n\nsfpi_version='7.89.0'\nsfpi_build='1050'\n");
  }

  /** A compiler that says this of itself. */
  void addCompiler(String version) throws IOException {
    Path compiler = root.resolve("opt/tenstorrent/sfpi/compiler/bin/riscv-tt-elf-g++");
    write(compiler, "#!/bin/sh\necho '%s'\n".formatted(version));
    makeExecutable(compiler);
  }

  void addStandIn() throws IOException {
    try (var script = TtnnInstaller.class.getResourceAsStream("standin-compiler")) {
      Files.createDirectories(bundledCompiler().getParent());
      Files.copy(script, bundledCompiler());
    }
    write(bundledCompiler().resolveSibling("empty-kernel.elf"), "a kernel");
    makeExecutable(bundledCompiler());
  }

  private static void makeExecutable(Path file) throws IOException {
    if (!file.toFile().setExecutable(true)) {
      throw new IOException(file + " cannot be made executable");
    }
  }

  /** A file of the kernel. */
  void addFile(String path, String content) throws IOException {
    write(root.resolve(path), content);
  }

  private static void write(Path file, String content) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }
}
