package dev.pi0stream.device.tt.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.pi0stream.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is found on a machine, and why TTNN does not start there. */
class MachineTest {
  @TempDir private Path folder;

  private FakeMachine fake;
  private Path venv;

  @BeforeEach
  void makeAMachine() throws IOException {
    fake = new FakeMachine(folder);
    venv = fake.venv();
  }

  @Test
  void cardsAreTheNumberedNodesOfTheDriver() throws IOException {
    assertThat(fake.machine().cards()).isEmpty();
    fake.addCard(1, "0xb140", "p150a", "DMA-FQ");
    fake.addCard(0, "0x401e", "n300", "identity");
    Path nodes = fake.root().resolve("dev/tenstorrent");
    Files.createDirectories(nodes.resolve("by-id"));
    assertThat(fake.machine().cards())
        .containsExactly(
            new Card(0, nodes.resolve("0"), "wormhole", "n300", true, false),
            new Card(1, nodes.resolve("1"), "blackhole", "p150a", true, true));
  }

  @Test
  void theTargetIsWhatTheEnvironmentNames() {
    assertThat(fake.machine().target()).isEqualTo(Target.CARD);
    assertThat(fake.with(Target.MOCK_VARIABLE, "x.yaml").target()).isEqualTo(Target.MOCK);
    assertThat(fake.with(Target.SIMULATOR_VARIABLE, "x.so").target()).isEqualTo(Target.SIMULATOR);
    assertThat(fake.with(Target.MOCK_VARIABLE, "").target()).isEqualTo(Target.CARD);
  }

  @Test
  void everyTargetHasKernelsOfItsOwn() {
    Path cache = folder.resolve("cache/pi0-stream/tt-metal");
    assertThat(fake.machine().variables())
        .containsEntry("TT_METAL_CACHE", cache.resolve("kernels-card").toString())
        .containsEntry("TT_METAL_LOGS_PATH", cache.toString())
        .containsEntry("TT_METAL_LOGGER_LEVEL", "off")
        .containsEntry("LOGURU_LEVEL", "ERROR");
    assertThat(fake.with(Target.MOCK_VARIABLE, "x.yaml").variables())
        .containsEntry("TT_METAL_CACHE", cache.resolve("kernels-mock").toString())
        .containsEntry(Target.MOCK_VARIABLE, "x.yaml");
    assertThat(cache.resolve("kernels-mock")).isDirectory();
  }

  @Test
  void withoutAnEnvironmentOneIsTold() {
    assertRefused(
        venv
            + " is not a virtual environment of Python: it has no pyvenv.cfg; `pi0 devices"
            + " --install-ttnn "
            + venv
            + "` installs ttnn 0.81.1, PI0_TTNN names another folder");
  }

  @Test
  void anotherPythonIsRefused() throws IOException {
    fake.addVenv("3.11.7", true);
    assertRefused(venv + " is of Python 3.11.7, expected 3.12; `pi0 devices");
    fake.addVenv("3.120.1", true);
    assertRefused(venv + " is of Python 3.120.1, expected 3.12; `pi0 devices");
  }

  @Test
  void aPythonWithoutSharedLibraryIsRefused() throws IOException {
    fake.addVenv("3.12.1", false);
    assertRefused(
        "the Python in "
            + fake.python().resolve("bin")
            + " has no libpython3.12.so, which Java loads");
  }

  @Test
  void aPythonThatIsGoneIsNamed() throws IOException {
    fake.addVenv("3.12.1", true);
    Files.delete(fake.python().resolve("bin"));
    assertRefused(
        venv + " was made with the Python in " + fake.python().resolve("bin") + ", which is gone");
  }

  @Test
  void aPythonWithoutItsModulesIsNotStarted() throws IOException {
    fake.addVenv("3.12.1", true);
    Files.delete(fake.python().resolve("lib/python3.12/encodings"));
    assertRefused("the Python in " + fake.python().resolve("bin") + " is not complete: no ");
  }

  @Test
  void withoutTtnnOneIsTold() throws IOException {
    fake.addVenv("3.12.1", true);
    assertRefused(
        "%s has no ttnn, expected ttnn %s; `pi0 devices --install-ttnn %s` installs ttnn"
            .formatted(venv, TtnnInstallation.VERSION, venv));
  }

  @Test
  void anotherVersionOfTtnnIsRefused() throws IOException {
    fake.addVenv("3.12.1", true);
    fake.addTtnn("0.65.0");
    assertRefused("%s has ttnn 0.65.0, expected ttnn %s".formatted(venv, TtnnInstallation.VERSION));
  }

  @Test
  void withoutACardPythonIsNotStarted() throws IOException {
    fake.addVenv("3.12.1", true);
    fake.addTtnn(TtnnInstallation.VERSION);
    assertRefused(
        "no Tenstorrent card: "
            + fake.root().resolve("dev/tenstorrent")
            + " has none; is the card");
  }

  @Test
  void theStandInIsNotUsedOnACard() throws IOException {
    fake.addVenv("3.12.1", true);
    fake.addTtnn(TtnnInstallation.VERSION);
    fake.addCard(0, "0xb140", "p150a", "DMA");
    fake.addStandIn();
    assertThat(TtnnInstallation.find(fake.machine()).hasStandIn()).isTrue();
    assertRefused(venv + " has the stand-in for the kernel compiler");
  }

  private void assertRefused(String sentence) {
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> fake.machine().start())
        .withMessageContaining(sentence);
  }
}
