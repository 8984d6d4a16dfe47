package dev.pi0stream.device.tt.ttnn;

/** Where a tensor lies; interleaved over all banks in either. */
public enum Memory {
  /** The card's large memory. */
  DRAM("DRAM_MEMORY_CONFIG", "BufferType.DRAM"),
  /** The cores' own small and fast memory, which their programs' buffers share. */
  L1("L1_MEMORY_CONFIG", "BufferType.L1");

  private final String ttnnName;
  private final String bufferType;

  Memory(String ttnnName, String bufferType) {
    this.ttnnName = ttnnName;
    this.bufferType = bufferType;
  }

  String ttnnName() {
    return ttnnName;
  }

  String bufferType() {
    return bufferType;
  }
}
