package dev.pi0stream.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.tt.host.Machine;
import dev.pi0stream.device.tt.host.Target;
import dev.pi0stream.device.tt.host.TtnnInstallation;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What {@code pi0 devices} says of machines that are made of files. */
class DevicesCommandTest {
  @TempDir private Path root;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void aMachineWithoutACardComputesOnTheProcessor() throws IOException {
    add("proc/cpuinfo", "processor : 0\nflags\t\t: fpu avx2 avx512f amx_bf16\n");
    assertThat(run(Map.of())).isZero();
    assertThat(out.toString())
        .startsWith("cpu         oneDNN, ")
        .contains(" threads, avx2 avx512f amx_bf16\n")
        .endsWith("auto        is cpu: no Tenstorrent card in " + root + "/dev/tenstorrent\n")
        .doesNotContain("tt:");
  }

  @Test
  void cardsAreListedByTheirNamesAndTheFirstIsTaken() throws IOException {
    addCard(0, "0xb140", "p150a");
    addCard(1, "0x401e", "");
    assertThat(run(Map.of())).isZero();
    assertThat(out.toString())
        .contains(
            "tt:0        Tenstorrent blackhole p150a, " + root + "/dev/tenstorrent/0\n",
            "tt:1        Tenstorrent wormhole, " + root + "/dev/tenstorrent/1\n",
            "auto        is tt: a Tenstorrent card is here, p150a at " + root);
  }

  @Test
  void aMockIsCalledAMock() {
    assertThat(run(Map.of(Target.MOCK_VARIABLE, "/x/P150.yaml"))).isZero();
    assertThat(out.toString())
        .contains(
            "tt          a MOCK of /x/P150.yaml: checks what it is asked and computes nothing")
        .contains("auto        is cpu: ");
  }

  @Test
  void aCheckWithoutACardSaysSoAndEndsWithACodeOfItsOwn() {
    assertThat(run(Map.of(), "--check")).isEqualTo(3);
    assertThat(out.toString())
        .contains("For a card:")
        .contains("MISSING  card         none in " + root + "/dev/tenstorrent")
        .contains("→ `lspci -d 1e52:`");
    assertThat(err.toString())
        .contains("there is no Tenstorrent card on this machine: --device auto is cpu");
  }

  @Test
  void aCheckOfACardThatLacksSomethingFails() throws IOException {
    addCard(0, "0xb140", "p150a");
    Path result = root.resolve("result.json");
    assertThat(run(Map.of(), "--check", "--json", result.toString())).isEqualTo(1);
    assertThat(out.toString())
        .contains("ok       card 0       blackhole p150a, ")
        .contains("MISSING  driver       tt-kmd is not loaded, expected 2.0.0 or newer")
        .contains("MISSING  TTNN         /no/venv is not a virtual environment of Python");
    assertThat(result)
        .content()
        .contains("\"auto\" : \"tt\"", "\"what\" : \"driver\"", "\"met\" : false");
  }

  @Test
  void checkAndInstallAreNotGivenTogether() {
    assertThat(run(Map.of(), "--check", "--install-ttnn")).isEqualTo(2);
  }

  @Test
  void anInstallationThatIsRefusedSaysWhy() throws IOException {
    Path full = Files.createDirectory(root.resolve("full"));
    Files.createFile(full.resolve("precious"));
    assertThat(run(Map.of(), "--install-ttnn", full.toString())).isEqualTo(1);
    assertThat(err.toString()).contains("pi0 devices: ");
    assertThat(full.resolve("precious")).exists();
  }

  @Test
  void theChoiceIsThePersonsWhereItIsMade() {
    Machine machine = new Machine(root, Map.of());
    assertThat(DeviceChoice.of("reference", machine))
        .isEqualTo(new DeviceChoice("reference", "as asked"));
    assertThat(DeviceChoice.of("auto", machine).name()).isEqualTo("cpu");
  }

  private int run(Map<String, String> variables, String... arguments) {
    Map<String, String> environment = new HashMap<>(variables);
    environment.put(TtnnInstallation.VARIABLE, "/no/venv");
    CommandLine command = Main.commandLine();
    CommandLine devices =
        new CommandLine(new DevicesCommand(new Machine(root, environment)))
            .setExecutionExceptionHandler(command.getExecutionExceptionHandler())
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));
    return devices.execute(arguments);
  }

  private void addCard(int index, String device, String board) throws IOException {
    add("dev/tenstorrent/" + index, "");
    add("sys/class/tenstorrent/tenstorrent!%d/device/device".formatted(index), device + "\n");
    add("sys/class/tenstorrent/tenstorrent!%d/tt_card_type".formatted(index), board + "\n");
  }

  private void add(String path, String content) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }
}
