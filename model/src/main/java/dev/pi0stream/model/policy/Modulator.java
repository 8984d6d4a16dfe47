package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Weights;
import java.lang.foreign.MemorySegment;

/**
 * The linear layer of an adaptive norm, which makes scale, shift and gate of a condition. They are
 * three layers here, one below the other in the checkpoint's {@code dense}.
 */
public final class Modulator implements AutoCloseable {
  private final Device device;
  private final Linear scale; // condition → width
  private final Linear shift; // condition → width
  private final Linear gate; // condition → width

  private Modulator(Device device, Parameter weight, Parameter bias, int width) {
    this.device = device;
    this.scale = device.linear(third(weight, 0, width), third(bias, 0, width), Precision.FP32);
    this.shift = device.linear(third(weight, 1, width), third(bias, 1, width), Precision.FP32);
    this.gate = device.linear(third(weight, 2, width), third(bias, 2, width), Precision.FP32);
  }

  /**
   * Gives the layer to a device.
   *
   * @param weights below the norm's {@code dense.}
   * @param width columns of the rows that the norm normalises
   * @param condition columns of the condition
   */
  public static Modulator load(Device device, Weights weights, int width, int condition) {
    return new Modulator(
        device,
        weights.matrix("weight", 3 * width, condition),
        weights.vector("bias", 3 * width),
        width);
  }

  /** The outputs {@code index · width …} of the layer. */
  private static Parameter third(Parameter parameter, int index, int width) {
    boolean vector = parameter.rows() == 1;
    long bytes = parameter.data().byteSize() / 3;
    MemorySegment part = parameter.data().asSlice(index * bytes, bytes);
    return new Parameter(
        "%s[%d:%d]".formatted(parameter.name(), index * width, (index + 1) * width),
        parameter.type(),
        vector ? 1 : width,
        vector ? width : parameter.columns(),
        part);
  }

  /**
   * What a condition does to the norm.
   *
   * @param condition one row
   */
  public Modulation.Adaptive modulation(Tensor condition) {
    return new Modulation.Adaptive(
        device.linear(condition, scale),
        device.linear(condition, shift),
        device.linear(condition, gate));
  }

  @Override
  public void close() {
    scale.close();
    shift.close();
    gate.close();
  }
}
