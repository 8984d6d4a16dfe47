package dev.pi0stream.device.tt.ttnn;

/** How TTNN stores numbers. */
public enum DataType {
  /** The upper half of a binary32. */
  BFLOAT16("bfloat16"),
  /** 7 bits of mantissa with the sign, and one exponent for 16 numbers of a row; in tiles only. */
  BFLOAT8_B("bfloat8_b"),
  /** binary32. */
  FLOAT32("float32"),
  /** Indices. */
  UINT32("uint32");

  private static final int TILE_NUMBERS = 32 * 32;
  private static final int BFLOAT8_TILE_BYTES = TILE_NUMBERS + TILE_NUMBERS / 16;

  private final String ttnnName;

  DataType(String ttnnName) {
    this.ttnnName = ttnnName;
  }

  String ttnnName() {
    return ttnnName;
  }

  /** What so many numbers take on the device. */
  public long bytes(long numbers) {
    return switch (this) {
      case BFLOAT16 -> 2 * numbers;
      case FLOAT32, UINT32 -> 4 * numbers;
      case BFLOAT8_B -> numbers / TILE_NUMBERS * BFLOAT8_TILE_BYTES;
    };
  }
}
