package dev.pi0stream.device.tt.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.pi0stream.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine made of files, and what is found on it. */
class MachineTest {
  @TempDir private Path folder;

  private Path root;
  private Path venv;
  private Machine machine;

  @BeforeEach
  void makeAMachine() throws IOException {
    root = Files.createDirectory(folder.resolve("root"));
    venv = folder.resolve("venv");
    machine =
        new Machine(
            root,
            Map.of(
                TtnnInstallation.VARIABLE,
                venv.toString(),
                "XDG_CACHE_HOME",
                folder.resolve("cache").toString()));
  }

  @Test
  void cardsAreTheNumberedNodesOfTheDriver() throws IOException {
    assertThat(machine.cards()).isEmpty();
    addCard(1, "0xb140", "p150a", "DMA-FQ");
    addCard(0, "0x401e", "n300", "identity");
    Files.createDirectories(root.resolve("dev/tenstorrent/by-id"));
    assertThat(machine.cards())
        .containsExactly(
            new Card(0, root.resolve("dev/tenstorrent/0"), "wormhole", "n300", true, false),
            new Card(1, root.resolve("dev/tenstorrent/1"), "blackhole", "p150a", true, true));
  }

  @Test
  void theTargetIsWhatTheEnvironmentNames() {
    assertThat(machine.target()).isEqualTo(Target.CARD);
    assertThat(with(Target.MOCK_VARIABLE, "x.yaml").target()).isEqualTo(Target.MOCK);
    assertThat(with(Target.SIMULATOR_VARIABLE, "x.so").target()).isEqualTo(Target.SIMULATOR);
    assertThat(with(Target.MOCK_VARIABLE, "").target()).isEqualTo(Target.CARD);
  }

  @Test
  void everyTargetHasKernelsOfItsOwn() {
    Path cache = folder.resolve("cache/pi0-stream/tt-metal");
    assertThat(machine.variables())
        .containsEntry("TT_METAL_CACHE", cache.resolve("kernels-card").toString())
        .containsEntry("TT_METAL_LOGS_PATH", cache.toString())
        .containsEntry("LOGURU_LEVEL", "ERROR");
    assertThat(with(Target.MOCK_VARIABLE, "x.yaml").variables())
        .containsEntry("TT_METAL_CACHE", cache.resolve("kernels-mock").toString())
        .containsEntry(Target.MOCK_VARIABLE, "x.yaml");
    assertThat(cache.resolve("kernels-mock")).isDirectory();
  }

  @Test
  void withoutAnEnvironmentOneIsTold() {
    assertRefused(
        venv
            + " is not a virtual environment of Python: it has no pyvenv.cfg;"
            + " `pi0 devices --install-ttnn "
            + venv
            + "` installs TTNN, PI0_TTNN names another folder");
  }

  @Test
  void anotherPythonIsRefused() throws IOException {
    addVenv("3.11.7", true);
    assertRefused(venv + " is of Python 3.11.7, expected 3.12; `pi0 devices");
    addVenv("3.120.1", true);
    assertRefused(venv + " is of Python 3.120.1, expected 3.12; `pi0 devices");
  }

  @Test
  void aPythonWithoutSharedLibraryIsRefused() throws IOException {
    addVenv("3.12.1", false);
    assertRefused(
        "the Python in "
            + folder.resolve("python/bin")
            + " has no libpython3.12.so, which Java loads");
  }

  @Test
  void aPythonThatIsGoneIsNamed() throws IOException {
    addVenv("3.12.1", true);
    Files.delete(folder.resolve("python/bin"));
    assertRefused(
        venv + " was made with the Python in " + folder.resolve("python/bin") + ", which is gone");
  }

  @Test
  void withoutTtnnOneIsTold() throws IOException {
    addVenv("3.12.1", true);
    assertRefused(
        venv
            + " has no ttnn, expected ttnn "
            + TtnnInstallation.VERSION
            + ": `pi0 devices --install-ttnn "
            + venv
            + "` installs it");
  }

  @Test
  void anotherVersionOfTtnnIsRefused() throws IOException {
    addVenv("3.12.1", true);
    addTtnn("0.65.0");
    assertRefused(venv + " has ttnn 0.65.0, expected ttnn " + TtnnInstallation.VERSION);
  }

  @Test
  void withoutACardPythonIsNotStarted() throws IOException {
    addVenv("3.12.1", true);
    addTtnn(TtnnInstallation.VERSION);
    assertRefused("no Tenstorrent card: " + root.resolve("dev/tenstorrent") + " has none");
  }

  @Test
  void theStandInIsNotUsedOnACard() throws IOException {
    addVenv("3.12.1", true);
    addTtnn(TtnnInstallation.VERSION);
    addCard(0, "0xb140", "p150a", "DMA");
    Path compiler =
        venv.resolve(
            "lib/python3.12/site-packages/ttnn/runtime/sfpi/compiler/bin/riscv-tt-elf-g++");
    Files.createDirectories(compiler.getParent());
    try (var script = getClass().getResourceAsStream("standin-compiler")) {
      Files.copy(script, compiler);
    }
    assertThat(TtnnInstallation.find(machine).hasStandIn()).isTrue();
    assertRefused(venv + " has the stand-in for the kernel compiler");
  }

  private void assertRefused(String sentence) {
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> machine.start())
        .withMessageContaining(sentence);
  }

  private Machine with(String name, String value) {
    Map<String, String> environment = new java.util.HashMap<>(machine.environment());
    environment.put(name, value);
    return new Machine(root, environment);
  }

  private void addCard(int index, String device, String board, String iommu) throws IOException {
    Files.createDirectories(root.resolve("dev/tenstorrent"));
    Files.createFile(root.resolve("dev/tenstorrent/" + index));
    Path attributes = root.resolve("sys/class/tenstorrent/tenstorrent!" + index);
    Files.createDirectories(attributes.resolve("device/iommu_group"));
    Files.writeString(attributes.resolve("device/device"), device + "\n");
    Files.writeString(attributes.resolve("device/iommu_group/type"), iommu + "\n");
    Files.writeString(attributes.resolve("tt_card_type"), board + "\n");
  }

  private void addVenv(String version, boolean shared) throws IOException {
    Path python = folder.resolve("python");
    Files.createDirectories(python.resolve("bin"));
    Files.createDirectories(python.resolve("lib/python3.12/encodings"));
    if (shared) {
      Files.writeString(python.resolve("lib/libpython3.12.so"), "");
    }
    Files.createDirectories(venv);
    Files.writeString(
        venv.resolve("pyvenv.cfg"),
        "home = %s%nversion = %s%n".formatted(python.resolve("bin"), version));
  }

  private void addTtnn(String version) throws IOException {
    Path packages = venv.resolve("lib/python3.12/site-packages");
    Files.createDirectories(packages.resolve("ttnn"));
    Files.createDirectories(packages.resolve("ttnn-%s.dist-info".formatted(version)));
  }
}
