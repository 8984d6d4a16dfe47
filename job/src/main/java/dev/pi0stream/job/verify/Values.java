package dev.pi0stream.job.verify;

import java.util.Arrays;
import java.util.Objects;

/**
 * A tensor of any type on the host, widened to fp64, which holds every number of a golden vector
 * exactly.
 *
 * @param values row-major
 * @param shape sizes of the dimensions; empty for a scalar
 * @param integral whether they are integers or truth values (0, 1), which compare exactly
 */
record Values(double[] values, int[] shape, boolean integral) {
  Values {
    Objects.requireNonNull(values, "values");
    if (size(shape) != values.length) {
      throw new IllegalArgumentException(
          "%d numbers do not have the shape %s".formatted(values.length, Arrays.toString(shape)));
    }
  }

  /** Floating-point numbers. */
  static Values of(float[] values, int... shape) {
    double[] widened = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      widened[i] = values[i];
    }
    return new Values(widened, shape, false);
  }

  /** Floating-point numbers. */
  static Values of(double[] values, int... shape) {
    return new Values(values, shape, false);
  }

  /** Integers. */
  static Values of(int[] values, int... shape) {
    return new Values(Arrays.stream(values).asDoubleStream().toArray(), shape, true);
  }

  /** Truth values. */
  static Values of(boolean[] values, int... shape) {
    double[] numbers = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      numbers[i] = values[i] ? 1 : 0;
    }
    return new Values(numbers, shape, true);
  }

  /** Unsigned bytes. */
  static Values of(byte[] values, int... shape) {
    double[] numbers = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      numbers[i] = Byte.toUnsignedInt(values[i]);
    }
    return new Values(numbers, shape, true);
  }

  /** The number of numbers that a shape holds. */
  static int size(int... shape) {
    int size = 1;
    for (int dimension : shape) {
      size = Math.multiplyExact(size, dimension);
    }
    return size;
  }

  /** The size of a dimension. */
  int dimension(int index) {
    return shape[index];
  }

  /** One entry of the first dimension: a row of a batch. */
  Values row(int index) {
    int[] rest = Arrays.copyOfRange(shape, 1, shape.length);
    int size = size(rest);
    return new Values(Arrays.copyOfRange(values, index * size, (index + 1) * size), rest, integral);
  }

  /** The numbers, rounded to fp32. */
  float[] floats() {
    float[] narrowed = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      narrowed[i] = (float) values[i];
    }
    return narrowed;
  }

  /** The numbers as integers. */
  int[] integers() {
    return Arrays.stream(values).mapToInt(value -> Math.toIntExact((long) value)).toArray();
  }

  /** The numbers as truth values. */
  boolean[] booleans() {
    boolean[] truths = new boolean[values.length];
    for (int i = 0; i < values.length; i++) {
      truths[i] = values[i] != 0;
    }
    return truths;
  }

  /** The numbers as unsigned bytes. */
  byte[] bytes() {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }
}
