package dev.pi0stream.device.tt.host;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The boards that tests run on where there is no card. TTNN reads which board it is once for a
 * process: tests of one board use {@link TestTtnn}, tests of all of them a {@link BoardProcess} for
 * each.
 */
public enum MockBoard {
  P100,
  P150,
  P300,
  N150,
  N300;

  /** The description of the cluster, for TT-Metal. */
  public Path descriptor() {
    return Path.of("src/test/resources/mock-clusters", name() + ".yaml").toAbsolutePath();
  }

  /** This machine, with the board in place of its cards. */
  public Machine machine() {
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.put(Target.MOCK_VARIABLE, descriptor().toString());
    return new Machine(Path.of("/"), environment);
  }
}
