package dev.pi0stream.job.bench;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * How fast a device multiplies rows with the weights of a linear layer and does nothing else: the
 * best time of several, shape by shape. The rows are in the format that norms give them; weights
 * change from one product to the next, as in a policy, so that they come from memory where they
 * would there.
 */
final class Roofline {
  private static final long WEIGHT_NUMBERS = 1L << 25;
  private static final int COPIES = 16;
  private static final int ROUNDS = 5;
  private static final long LEAST_NANOS = 100_000_000;
  private static final float EPSILON = 1e-6f;

  private final Device device;
  private final Map<Shape, Double> seconds = new LinkedHashMap<>();

  private record Shape(int rows, int inputs, int outputs) {}

  Roofline(Device device) {
    this.device = device;
  }

  /** The shortest time in which the device computes these products, in seconds. */
  double seconds(List<Work.Product> products) {
    double sum = 0;
    for (Work.Product product : products) {
      Shape shape = new Shape(product.rows(), product.inputs(), product.outputs());
      sum += product.count() * seconds.computeIfAbsent(shape, this::measure);
    }
    return sum;
  }

  private double measure(Shape shape) {
    long numbers = (long) shape.inputs * shape.outputs;
    int copies = Math.clamp(WEIGHT_NUMBERS / numbers + 1, 1, COPIES);
    Parameter weight = parameter(shape.outputs, shape.inputs);
    List<Linear> weights = new ArrayList<>();
    Norm norm = device.rmsNorm(null, shape.inputs, EPSILON);
    try (Scope _ = device.scope()) {
      for (int i = 0; i < copies; i++) {
        weights.add(device.linear(weight, null));
      }
      float[] values = parameter(shape.rows, shape.inputs).toFloats();
      Tensor x = device.rmsNorm(device.upload(values, shape.rows, shape.inputs), norm);
      multiply(x, weights);
      double best = Double.POSITIVE_INFINITY;
      long begun = System.nanoTime();
      for (int i = 0; i < ROUNDS || System.nanoTime() - begun < LEAST_NANOS; i++) {
        best = Math.min(best, multiply(x, weights));
      }
      return best;
    } finally {
      norm.close();
      weights.forEach(Linear::close);
    }
  }

  /** Seconds for one product, on average over all weights. */
  private double multiply(Tensor x, List<Linear> weights) {
    long begun = System.nanoTime();
    Tensor last = null;
    for (Linear linear : weights) {
      if (last != null) {
        last.close();
      }
      last = device.linear(x, linear);
    }
    if (last != null) {
      last.close();
    }
    return (System.nanoTime() - begun) / 1e9 / weights.size();
  }

  private static Parameter parameter(int rows, int columns) {
    SplittableRandom random = new SplittableRandom(rows * 31L + columns);
    float[] values = new float[Math.multiplyExact(rows, columns)];
    float width = (float) (2 / Math.sqrt(columns));
    for (int i = 0; i < values.length; i++) {
      values[i] = ((float) random.nextDouble() - 0.5f) * width;
    }
    return Parameter.of("random", rows, columns, values);
  }
}
