package dev.pi0stream.device.cpu;

/** oneDNN's names of the number formats that we use, {@code dnnl_data_type_t}. */
enum DataType {
  F32(3, Float.BYTES),
  BF16(2, Short.BYTES),
  S8(5, Byte.BYTES);

  private final int code;
  private final int bytes;

  DataType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  int code() {
    return code;
  }

  int bytes() {
    return bytes;
  }
}
