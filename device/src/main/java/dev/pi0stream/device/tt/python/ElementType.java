package dev.pi0stream.device.tt.python;

/** What memory that is lent to Python holds, in DLPack's codes ({@code DLDataType}). */
public enum ElementType {
  FLOAT32(2, 32),
  BFLOAT16(4, 16),
  INT32(0, 32),
  UINT32(1, 32);

  private final byte code;
  private final byte bits;

  ElementType(int code, int bits) {
    this.code = (byte) code;
    this.bits = (byte) bits;
  }

  /** The size of an element. */
  public int bytes() {
    return bits / Byte.SIZE;
  }

  byte code() {
    return code;
  }

  byte bits() {
    return bits;
  }
}
