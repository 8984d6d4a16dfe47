package dev.pi0stream.device.tt.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.tt.python.Interpreter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that installs TTNN, as far as nothing has to be downloaded, and the stand-in. */
class TtnnInstallerTest {
  private static final Path SCRIPTS =
      Path.of("src/main/resources/dev/pi0stream/device/tt/host").toAbsolutePath();

  @TempDir private Path folder;

  private FakeMachine fake;

  @BeforeEach
  void onLinux() throws IOException {
    assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "TTNN is published for Linux on x86_64 only");
    fake = new FakeMachine(folder);
  }

  @Test
  void whatIsUpToDateIsLeftAsItIs() {
    Interpreter python = TestTtnn.start();
    Path directory = TtnnInstallation.directory(TestTtnn.machine()).toAbsolutePath();
    List<String> lines = new ArrayList<>();
    TtnnInstaller.install(directory, lines::add);
    assertThat(lines).containsExactly("export PI0_TTNN=" + directory);
    assertThat(python).isSameAs(TestTtnn.start());
  }

  @Test
  void aFolderOfSomethingElseIsNotTouched() throws IOException {
    Files.createFile(folder.resolve("precious"));
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> TtnnInstaller.install(folder, _ -> {}))
        .withMessage(folder + " is not empty and not a virtual environment: name another folder");
  }

  @Test
  void thePythonThatIsAskedForIsNotReplaced() throws Exception {
    Path other = folder.resolve("python");
    Files.writeString(other, "#!/bin/sh\necho is Python 3.11\n");
    assertThat(other.toFile().setExecutable(true)).isTrue();
    Path script = SCRIPTS.resolve("install-ttnn");
    Run run = Run.of(Map.of("PYTHON", other.toString()), script, folder.resolve("venv").toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.output())
        .startsWith("install-ttnn: needs a Python 3.12 with a shared libpython")
        .contains("found none: " + other + " is Python 3.11; PYTHON names one");
  }

  @Test
  void theStandInSaysTheVersionThatTtnnExpects() throws Exception {
    fake.addTtnn(TtnnInstallation.VERSION);
    fake.addStandIn();
    assertThat(Run.of(Map.of(), fake.bundledCompiler(), "--version").output())
        .isEqualTo("riscv-tt-elf-g++ (tenstorrent/sfpi:7.89.0[1050]) stand-in of pi0-stream");
  }

  @Test
  void theStandInWorksForMocksOnly() throws Exception {
    assumeTrue(Machine.local().cards().isEmpty(), "a card is here");
    fake.addStandIn();
    Path kernel = folder.resolve("kernel.o");
    Run refused =
        Run.of(Map.of(Target.MOCK_VARIABLE, ""), fake.bundledCompiler(), "-o", kernel.toString());
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.output()).endsWith("TT_METAL_MOCK_CLUSTER_DESC_PATH names none");
    assertThat(kernel).doesNotExist();

    Path list = folder.resolve("kernel.d");
    Run made =
        Run.of(
            Map.of(Target.MOCK_VARIABLE, "P150.yaml"),
            fake.bundledCompiler(),
            "-O2",
            "-MF",
            list.toString(),
            "kernel.cc",
            "-o",
            kernel.toString());
    assertThat(made).isEqualTo(new Run(0, ""));
    assertThat(kernel).hasContent("a kernel");
    assertThat(list).hasContent(kernel + ": kernel.cc");
  }

  /**
   * What a program did.
   *
   * @param code its exit code
   * @param output what it said on both streams
   */
  private record Run(int code, String output) {
    static Run of(Map<String, String> environment, Path program, String... arguments)
        throws IOException, InterruptedException {
      List<String> command = new ArrayList<>(List.of(program.toString()));
      command.addAll(List.of(arguments));
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().putAll(environment);
      Process process = builder.start();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return new Run(process.waitFor(), output);
    }
  }
}
