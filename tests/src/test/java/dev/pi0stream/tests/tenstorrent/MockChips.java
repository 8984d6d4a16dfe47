package dev.pi0stream.tests.tenstorrent;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.TtDevice;
import dev.pi0stream.device.tt.host.Machine;
import dev.pi0stream.device.tt.host.Target;
import dev.pi0stream.device.tt.host.TtnnInstallation;
import dev.pi0stream.device.tt.python.Interpreter;
import dev.pi0stream.device.tt.ttnn.Ttnn;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Chips of a mock board for tests; one board for a process. */
final class MockChips {
  /** Upstream's module: checks everything and computes nothing. */
  static final String TTNN = "ttnn";

  /** The same, with traces whose replay does nothing. */
  static final String REPLAYING = "ttnn_mock";

  /** Stands in for it and computes values, rounded as a card rounds them. */
  static final String DOUBLE = "ttnn_double";

  private static final Path RESOURCES = Path.of("../device/src/test/resources").toAbsolutePath();
  private static final Map<String, Ttnn> MODULES = new ConcurrentHashMap<>();

  private MockChips() {}

  /** Opens a chip of a P300, or skips the test and prints why. */
  static TtDevice open(String module, Precision precision) {
    return open("P300", module, precision);
  }

  /** The same of a board. */
  static TtDevice open(String board, String module, Precision precision) {
    return TtDevice.open(module(board, module), 0, precision);
  }

  /** A module on a board. */
  static Ttnn module(String board, String module) {
    return MODULES.computeIfAbsent(module, name -> load(board, name));
  }

  private static Ttnn load(String board, String module) {
    Map<String, String> environment = new HashMap<>(System.getenv());
    Path descriptor = RESOURCES.resolve("mock-clusters").resolve(board + ".yaml");
    environment.putIfAbsent(Target.MOCK_VARIABLE, descriptor.toString());
    Machine machine = new Machine(Path.of("/"), environment);
    try {
      TtnnInstallation.find(machine);
    } catch (DeviceException e) {
      System.out.println("skipped, for want of TTNN: " + e.getMessage());
      return abort(e.getMessage());
    }
    Interpreter python = machine.start();
    python.addModules(RESOURCES);
    return Ttnn.load(python, module, machine.target() == Target.MOCK);
  }
}
