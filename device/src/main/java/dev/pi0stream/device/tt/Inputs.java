package dev.pi0stream.device.tt;

import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.function.Consumer;

/** Takes what is made of host values to the device: at once, or as inputs of a stage. */
interface Inputs {
  /**
   * Takes numbers to the device.
   *
   * @param bind gets the tensor that holds them, as an owner of it; perhaps later
   */
  void place(HostInput input, Consumer<TtnnTensor> bind);

  /**
   * A row that hides what is behind the ends of sequences in blocks of so many rows: [blocks, 1, 1,
   * rows]; the caller is an owner.
   */
  TtnnTensor hidden(Sequences sequences, int rows);

  /** A value that is on the device by now. */
  static <T> T bound(T value) {
    if (value == null) {
      throw new IllegalStateException("an input of a stage is used before the stage runs");
    }
    return value;
  }
}
