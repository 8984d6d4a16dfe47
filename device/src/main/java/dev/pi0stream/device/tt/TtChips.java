package dev.pi0stream.device.tt;

import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.host.Machine;
import dev.pi0stream.device.tt.host.Target;
import dev.pi0stream.device.tt.python.Interpreter;
import dev.pi0stream.device.tt.ttnn.Ttnn;
import java.nio.file.Path;

/**
 * The chips of this machine, by index. Developers have another module take the place of {@code
 * ttnn} by system properties: {@value #MODULE} names it, {@value #FOLDER} the folder that it is in.
 */
public final class TtChips {
  private static final String MODULE = "pi0.ttnn.module";
  private static final String FOLDER = "pi0.ttnn.modules";

  private static Ttnn ttnn;

  private TtChips() {}

  /**
   * Opens a chip.
   *
   * @param index from 0
   * @throws dev.pi0stream.device.DeviceException where there is none, or TTNN is not installed,
   *     with what to do about it
   */
  public static TtDevice open(int index, Precision precision) {
    return TtDevice.open(ttnn(), index, precision);
  }

  private static synchronized Ttnn ttnn() {
    if (ttnn == null) {
      Machine machine = Machine.local();
      Interpreter python = machine.start();
      String folder = System.getProperty(FOLDER);
      if (folder != null) {
        python.addModules(Path.of(folder));
      }
      ttnn = Ttnn.load(python, System.getProperty(MODULE, "ttnn"), machine.target() == Target.MOCK);
    }
    return ttnn;
  }
}
