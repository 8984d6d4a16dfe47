package dev.pi0stream.device.tt.host;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.tt.python.Interpreter;

/**
 * TTNN for tests: on a card, a simulator or a mock that the user names, or else on a mock P300,
 * which has two chips. All tests of a JVM share it.
 */
public final class TestTtnn {
  private TestTtnn() {}

  /** Starts Python, or skips the test and prints why. */
  public static Interpreter start() {
    Machine machine = machine();
    TtnnInstallation ttnn;
    try {
      ttnn = TtnnInstallation.find(machine);
    } catch (DeviceException e) {
      System.out.println("skipped, for want of TTNN: " + e.getMessage());
      return abort(e.getMessage());
    }
    // What is installed has to start: a failure from here on is one of the test.
    return machine.start(ttnn);
  }

  /** What {@link #start} runs on. */
  public static Machine machine() {
    Machine local = Machine.local();
    boolean chosen = local.target() != Target.CARD || !local.cards().isEmpty();
    return chosen ? local : MockBoard.P300.machine();
  }
}
