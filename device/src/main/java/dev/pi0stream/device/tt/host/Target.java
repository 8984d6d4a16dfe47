package dev.pi0stream.device.tt.host;

/** What TTNN runs on. It decides by environment variables when it is first used. */
public enum Target {
  /** A card: {@code /dev/tenstorrent/N}. */
  CARD("card"),

  /** A described board that checks every argument and computes nothing. */
  MOCK("mock"),

  /** A simulator that computes. */
  SIMULATOR("simulator");

  /** TT-Metal's variable: the file that describes a mock cluster. */
  public static final String MOCK_VARIABLE = "TT_METAL_MOCK_CLUSTER_DESC_PATH";

  /** TT-Metal's variable: the simulator's library. */
  public static final String SIMULATOR_VARIABLE = "TT_METAL_SIMULATOR";

  private final String label;

  Target(String label) {
    this.label = label;
  }

  /** The name in reports and of folders. */
  public String label() {
    return label;
  }
}
