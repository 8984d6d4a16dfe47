package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.host.Target;
import dev.pi0stream.device.tt.host.TestTtnn;
import dev.pi0stream.device.tt.python.Interpreter;
import dev.pi0stream.device.tt.ttnn.Ttnn;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Chips for tests. */
public final class TestChips {
  /** Upstream's module: checks everything and, without a card, computes nothing. */
  public static final String MOCK = "ttnn";

  /** Stands in for {@code ttnn}: computes values, rounded as a card rounds them. */
  public static final String ROUNDED = "ttnn_double";

  /** The same, not rounded. */
  public static final String UNROUNDED = "ttnn_double.unrounded";

  /** Not rounded either, and what an operation leaves undefined is no number. */
  public static final String POISONED = "ttnn_double.poisoned";

  private static final Map<String, Ttnn> MODULES = new ConcurrentHashMap<>();

  private TestChips() {}

  /** The module, or the test is skipped and says why. */
  public static Ttnn ttnn(String module) {
    Interpreter python = TestTtnn.start();
    return MODULES.computeIfAbsent(
        module,
        name -> {
          python.addModules(Path.of("src/test/resources"));
          return Ttnn.load(python, name, TestTtnn.machine().target() == Target.MOCK);
        });
  }

  /** A chip that is free. */
  public static TtDevice open(String module, Precision precision) {
    Ttnn ttnn = ttnn(module);
    try {
      return TtDevice.open(ttnn, 0, precision);
    } catch (DeviceException e) {
      return TtDevice.open(ttnn, 1, precision);
    }
  }
}
