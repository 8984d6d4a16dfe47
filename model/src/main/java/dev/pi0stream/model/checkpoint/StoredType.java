package dev.pi0stream.model.checkpoint;

import dev.pi0stream.device.DType;
import java.util.Optional;

/** The element types of the safetensors format, under their names in the header. */
public enum StoredType {
  BOOL(1),
  U8(1),
  I8(1),
  F8_E4M3(1),
  F8_E5M2(1),
  F8_E8M0(1),
  U16(2),
  I16(2),
  F16(2),
  BF16(2),
  U32(4),
  I32(4),
  F32(4),
  C64(8),
  U64(8),
  I64(8),
  F64(8);

  private final int bytes;

  StoredType(int bytes) {
    this.bytes = bytes;
  }

  /** The size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** The type of a weight that is stored like this; empty where a device takes no such weights. */
  public Optional<DType> weightType() {
    return switch (this) {
      case F32 -> Optional.of(DType.F32);
      case F16 -> Optional.of(DType.F16);
      case BF16 -> Optional.of(DType.BF16);
      default -> Optional.empty();
    };
  }
}
