package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Activation;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.reference.ReferenceDevice;
import java.util.List;
import java.util.Random;

/**
 * A program that computes a layer in every precision and says how far it is from {@code reference}:
 * {@code bf16 0.0031}, or {@code bf16 refused} with the reason. Run by {@link InstructionSetTest}
 * with oneDNN's instruction set forced down, which a process can do once.
 */
final class InstructionSetProbe {
  private static final int ROWS = 33;
  private static final int WIDTH = 48;
  private static final Heads HEADS = new Heads(4, 1, 16);

  private InstructionSetProbe() {}

  public static void main(String[] arguments) {
    try (Device reference = new ReferenceDevice()) {
      float[] expected = layer(reference);
      for (Precision precision : List.of(Precision.FP32, Precision.BF16, Precision.INT8)) {
        System.out.println(precision.label() + " " + outcome(precision, expected));
      }
    }
  }

  private static String outcome(Precision precision, float[] expected) {
    try (Device device = CpuDevice.open(precision, 2)) {
      float[] found = layer(device);
      double worst = 0;
      for (int i = 0; i < found.length; i++) {
        worst = Math.max(worst, Math.abs((double) found[i] - expected[i]));
      }
      return String.valueOf(worst);
    } catch (DeviceException e) {
      return "refused " + e.getMessage();
    }
  }

  private static float[] layer(Device device) {
    Parameter square = parameter(HEADS.queryColumns(), WIDTH);
    Parameter narrow = parameter(HEADS.keyValueColumns(), WIDTH);
    Sequences sequences = Sequences.of(20, 13);
    Tensor x = device.upload(numbers(ROWS * WIDTH, 1), sequences, WIDTH);
    Tensor normed = device.rmsNorm(x, device.rmsNorm(null, WIDTH, 1e-6f));
    Tensor packed =
        device.linear(normed, device.projection(HEADS, square, narrow, narrow, List.of()));
    Tensor attended = device.attention(packed, HEADS, device.mask(sequences));
    Tensor out =
        device.linear(
            attended,
            device.linear(parameter(WIDTH, HEADS.queryColumns()), null),
            Epilogue.residual(x));
    Tensor inner =
        device.linear(
            out, device.linear(square, bias()), Epilogue.activation(Activation.GELU_TANH));
    return device.download(device.gatedLinear(inner, device.gatedLinear(wide(), wide())));
  }

  private static Parameter wide() {
    return parameter(80, HEADS.queryColumns());
  }

  private static Parameter bias() {
    return Parameter.vector("bias", numbers(HEADS.queryColumns(), 2));
  }

  private static Parameter parameter(int outputs, int inputs) {
    float[] values = numbers(outputs * inputs, outputs);
    for (int i = 0; i < values.length; i++) {
      values[i] /= (float) Math.sqrt(inputs);
    }
    return Parameter.of("weight", outputs, inputs, values);
  }

  private static float[] numbers(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
