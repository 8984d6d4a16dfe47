package dev.pi0stream.device.tt;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.Fidelity;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Brings a checkpoint's weights into the form that the device computes with. */
final class Weights {
  private final MeshDevice chip;

  Weights(MeshDevice chip) {
    this.chip = chip;
  }

  /** The type that matrix weights of a precision are kept in; the finest is bfloat16. */
  private static DataType type(Precision precision) {
    return precision == Precision.BFP8 ? DataType.BFLOAT8_B : DataType.BFLOAT16;
  }

  private static Fidelity fidelity(Precision precision) {
    return precision == Precision.BFP8 ? Fidelity.HIFI2 : Fidelity.HIFI4;
  }

  /** A layer of weights below each other. */
  TtLinear linear(List<Parameter> weights, List<Parameter> biases, Precision precision) {
    int inputs = weights.getFirst().columns();
    int outputs = weights.stream().mapToInt(Parameter::rows).sum();
    try (WeightMatrix matrix = new WeightMatrix(inputs, outputs, weights)) {
      int next = 0;
      for (Parameter weight : weights) {
        matrix.put(weight, WeightMatrix.from(0), WeightMatrix.from(next), 1);
        next += weight.rows();
      }
      TtLinear.Matrix made =
          matrix(
              matrix,
              bias(biases, outputs, WeightMatrix.from(0), 0, 1),
              precision,
              fidelity(precision));
      return new TtLinear(made, inputs, outputs, null, null, 1);
    }
  }

  /** A projection, its heads padded and its queries scaled where that is exact. */
  TtLinear projection(
      Heads heads, List<Parameter> weights, List<Parameter> biases, Precision precision) {
    PaddedHeads padded = PaddedHeads.of(heads);
    float scale = heads.query() == 0 ? 1 : padded.foldedScale();
    int inputs = weights.getFirst().columns();
    try (WeightMatrix matrix = new WeightMatrix(inputs, padded.columns(), weights)) {
      int next = 0;
      for (int i = 0; i < weights.size(); i++) {
        Parameter weight = weights.get(i);
        int first = next;
        boolean queries = heads.query() > 0 && i == 0;
        matrix.put(
            weight, WeightMatrix.from(0), output -> padded.at(first + output), queries ? scale : 1);
        next += weight.rows();
      }
      TtnnTensor bias = bias(biases, padded.columns(), padded::at, heads.queryColumns(), scale);
      return new TtLinear(
          matrix(matrix, bias, precision, fidelity(precision)),
          inputs,
          heads.columns(),
          null,
          padded,
          scale);
    }
  }

  /** The layer behind an attention. */
  TtLinear merge(Heads heads, Parameter weight, List<Parameter> biases, Precision precision) {
    PaddedHeads padded = PaddedHeads.of(heads);
    List<Parameter> weights = List.of(weight);
    try (WeightMatrix matrix = new WeightMatrix(padded.queryColumns(), weight.rows(), weights)) {
      matrix.put(weight, padded::at, WeightMatrix.from(0), 1);
      TtnnTensor bias = bias(biases, weight.rows(), WeightMatrix.from(0), 0, 1);
      return new TtLinear(
          matrix(matrix, bias, precision, Fidelity.HIFI4),
          heads.queryColumns(),
          weight.rows(),
          padded,
          null,
          1);
    }
  }

  private TtLinear.Matrix matrix(
      WeightMatrix matrix, TtnnTensor bias, Precision precision, Fidelity fidelity) {
    try {
      return new TtLinear.Matrix(matrix.upload(chip, type(precision)), bias, fidelity);
    } catch (RuntimeException e) {
      if (bias != null) {
        bias.close();
      }
      throw e;
    }
  }

  /**
   * A bias of parts behind each other.
   *
   * @param scaled so many first numbers are multiplied by {@code scale}
   * @return null where there are no parts
   */
  private TtnnTensor bias(
      List<Parameter> parts, int columns, IntUnaryOperator at, int scaled, float scale) {
    if (parts.isEmpty()) {
      return null;
    }
    float[] values = new float[columns];
    int next = 0;
    for (Parameter part : parts) {
      for (float value : part.toFloats()) {
        values[at.applyAsInt(next)] = next < scaled ? value * scale : value;
        next++;
      }
    }
    return WeightMatrix.vector(chip, values, DataType.BFLOAT16);
  }

  /** Gate and up side by side. */
  TtGatedLinear gatedLinear(Parameter gate, Parameter up, Precision precision) {
    int outputs = gate.rows();
    int half = Shape.padded(outputs);
    try (WeightMatrix matrix = new WeightMatrix(gate.columns(), 2 * half, List.of(gate, up))) {
      matrix.put(gate, WeightMatrix.from(0), WeightMatrix.from(0), 1);
      matrix.put(up, WeightMatrix.from(0), WeightMatrix.from(half), 1);
      return new TtGatedLinear(
          matrix.upload(chip, type(precision)), fidelity(precision), gate.columns(), outputs);
    }
  }

  TtNorm layerNorm(Parameter weight, Parameter bias, float epsilon) {
    TtnnTensor factor = WeightMatrix.vector(chip, weight.toFloats(), DataType.FLOAT32);
    try {
      TtnnTensor shift = WeightMatrix.vector(chip, bias.toFloats(), DataType.FLOAT32);
      return new TtNorm(factor, shift, weight.columns(), epsilon);
    } catch (RuntimeException e) {
      factor.close();
      throw e;
    }
  }

  TtNorm rmsNorm(Parameter weight, int columns, float epsilon) {
    if (weight == null) {
      return new TtNorm(null, null, columns, epsilon);
    }
    float[] factor = weight.toFloats();
    for (int i = 0; i < factor.length; i++) {
      factor[i] += 1;
    }
    TtnnTensor vector = WeightMatrix.vector(chip, factor, DataType.FLOAT32);
    return new TtNorm(vector, null, columns, epsilon);
  }

  TtEmbedding embedding(Parameter table, float scale) {
    return new TtEmbedding(WeightMatrix.table(chip, table), scale);
  }
}
