package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.PyFunction;
import dev.pi0stream.device.tt.python.PyObject;
import dev.pi0stream.device.tt.python.PythonException;

/** A call into TTNN whose failure says what can be done where memory is the reason. */
record Call(MeshDevice device, PyFunction function) {
  private static final double MEGABYTE = 1e6;

  PyObject call(Frame frame, Object... arguments) {
    try {
      return function.call(frame, arguments);
    } catch (PythonException e) {
      throw explained(e);
    }
  }

  private DeviceException explained(PythonException e) {
    String text = e.text();
    if (text.contains("Out of Memory") && text.contains("DRAM")) {
      MemoryView dram = device.memory(Memory.DRAM);
      return new DramFullException(
          ("the chip's DRAM is full, %.0f of %.0f MB are taken: bfp8 weights, a smaller batch or a"
                  + " smaller cache need less (%s)")
              .formatted(
                  dram.allocatedBytes() / MEGABYTE, dram.totalBytes() / MEGABYTE, e.getMessage()),
          e);
    }
    if (text.contains("Out of Memory") || text.contains("L1 size") || text.contains("L1 buffer")) {
      return new DeviceException(
          "an operation needs more of the cores' own memory (L1) than this chip has: a smaller"
              + " batch needs less (%s)".formatted(e.getMessage()),
          e);
    }
    return e;
  }
}
