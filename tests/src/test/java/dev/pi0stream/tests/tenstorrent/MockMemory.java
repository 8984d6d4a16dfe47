package dev.pi0stream.tests.tenstorrent;

import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.PyObject;
import dev.pi0stream.device.tt.ttnn.Ttnn;

/**
 * Asks {@code ttnn_mock} what was allocated on the chip whose memory was looked at last.
 *
 * @param ttnn that module
 */
record MockMemory(Ttnn ttnn) {

  /**
   * The most that was allocated on top of what was there.
   *
   * @param dram bytes of the chip's DRAM
   * @param l1 bytes of one core's own memory, the most of any core
   */
  record Peak(long dram, long l1) {}

  /** Bytes of DRAM of all places of inputs and rooms for results that were ever made. */
  long lastingBytes() {
    try (Frame frame = ttnn.frame()) {
      return frame.integer(frame.invoke(module(frame), "lasting_bytes"));
    }
  }

  /** All programs will be compiled again, which shows what of L1 they take. */
  void forgetPrograms() {
    try (Frame frame = ttnn.frame()) {
      frame.invoke(module(frame), "forget_programs");
    }
  }

  /** Begins to watch. */
  void begin() {
    try (Frame frame = ttnn.frame()) {
      frame.invoke(module(frame), "begin_memory");
    }
  }

  /** What was allocated since. */
  Peak end() {
    try (Frame frame = ttnn.frame()) {
      PyObject peak = frame.invoke(module(frame), "end_memory");
      return new Peak(frame.integer(frame.item(peak, 0)), frame.integer(frame.item(peak, 1)));
    }
  }

  private static PyObject module(Frame frame) {
    return frame.module(MockChips.REPLAYING);
  }
}
