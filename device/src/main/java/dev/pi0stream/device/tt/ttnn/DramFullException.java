package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.DeviceException;

/** A tensor has no room in a chip's DRAM. */
public final class DramFullException extends DeviceException {
  private static final long serialVersionUID = 1L;

  DramFullException(String message, Throwable cause) {
    super(message, cause);
  }
}
