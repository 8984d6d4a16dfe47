package dev.pi0stream.device.tt.python;

import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

final class TestInterpreter {
  private TestInterpreter() {}

  static Interpreter start() {
    String venv = System.getenv("PI0_TTNN");
    if (venv == null || !Files.exists(Path.of(venv))) {
      return abort("no venv");
    }
    return Interpreter.start(Venv.open(Path.of(venv)), Map.of());
  }
}
