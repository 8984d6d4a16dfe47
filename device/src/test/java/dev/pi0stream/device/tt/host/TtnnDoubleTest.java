package dev.pi0stream.device.tt.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pi0stream.device.DeviceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The double of the {@code ttnn} module that other tests compute with keeps its promises: {@code
 * src/test/python/test_ttnn_double.py}, run by the Python that has TTNN.
 */
class TtnnDoubleTest {
  @Test
  void theDoubleKeepsItsPromises() throws IOException, InterruptedException {
    Machine machine = TestTtnn.machine();
    assumeTrue(machine.target() == Target.MOCK, "the double stands for a card: here is one");
    Path python = python(machine);
    ProcessBuilder builder =
        new ProcessBuilder(python.toString(), "src/test/python/test_ttnn_double.py")
            .redirectErrorStream(true);
    builder.environment().putAll(machine.variables());
    builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
    Process process = builder.start();
    process.getOutputStream().close();
    List<String> lines =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();
    assertThat(process.waitFor()).as(String.join("\n", lines)).isZero();
    assertThat(lines).last().isEqualTo("OK");
  }

  private static Path python(Machine machine) {
    try {
      return TtnnInstallation.find(machine).venv().python();
    } catch (DeviceException e) {
      System.out.println("skipped, for want of TTNN: " + e.getMessage());
      return abort(e.getMessage());
    }
  }
}
