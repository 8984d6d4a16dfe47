package dev.pi0stream.device.reference;

import dev.pi0stream.device.AbstractDevice;
import dev.pi0stream.device.Activation;
import dev.pi0stream.device.Embedding;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.HostImages;
import dev.pi0stream.device.HostIndices;
import dev.pi0stream.device.Images;
import dev.pi0stream.device.Indices;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * The definition of every operation. Tensors are fp32; whatever an operation computes on the way to
 * a number, sums and statistics included, is double and rounded to fp32 once, when it is written;
 * only the angles of a {@link Rotation} are fp32 by definition.
 *
 * <p>Rows are computed in parallel, but each on its own and in a fixed order of summation, with
 * {@link StrictMath}: a row's numbers depend neither on the rows beside it nor on the machine, bit
 * for bit.
 */
public final class ReferenceDevice extends AbstractDevice {
  private static final double SQRT_2_OVER_PI = StrictMath.sqrt(2 / StrictMath.PI);

  /** So many multiplications are worth handing to other threads. */
  private static final long PARALLEL_WORK = 1 << 15;

  public ReferenceDevice() {
    super("reference", Precision.FP32);
  }

  @Override
  protected void free() {}

  // Weights -----------------------------------------------------------------------------------

  @Override
  protected Linear newLinear(List<Parameter> weights, List<Parameter> biases, Precision precision) {
    float[] bias = null;
    if (!biases.isEmpty()) {
      bias = new float[biases.stream().mapToInt(Parameter::columns).sum()];
      int next = 0;
      for (Parameter part : biases) {
        System.arraycopy(part.toFloats(), 0, bias, next, part.columns());
        next += part.columns();
      }
    }
    int inputs = weights.getFirst().columns();
    int outputs = weights.stream().mapToInt(Parameter::rows).sum();
    return adopt(new HeapLinear(inputs, outputs, transposed(weights), bias));
  }

  @Override
  protected GatedLinear newGatedLinear(Parameter gate, Parameter up) {
    return adopt(
        new HeapGatedLinear(
            gate.columns(), gate.rows(), transposed(List.of(gate)), transposed(List.of(up))));
  }

  /** Weights of outputs × inputs below each other, as inputs × outputs. */
  private static float[] transposed(List<Parameter> weights) {
    int inputs = weights.getFirst().columns();
    int outputs = weights.stream().mapToInt(Parameter::rows).sum();
    float[] transposed = new float[Math.multiplyExact(inputs, outputs)];
    int output = 0;
    for (Parameter weight : weights) {
      float[] values = weight.toFloats();
      for (int row = 0; row < weight.rows(); row++, output++) {
        for (int input = 0; input < inputs; input++) {
          transposed[input * outputs + output] = values[row * inputs + input];
        }
      }
    }
    return transposed;
  }

  @Override
  protected Embedding newEmbedding(Parameter table, float scale) {
    return adopt(new HeapEmbedding(table.rows(), table.columns(), table.toFloats(), scale));
  }

  @Override
  protected Norm newLayerNorm(Parameter weight, Parameter bias, float epsilon) {
    return adopt(new HeapNorm(weight.toFloats(), bias.toFloats(), epsilon));
  }

  @Override
  protected Norm newRmsNorm(Parameter weight, int columns, float epsilon) {
    float[] factor = new float[columns];
    for (int column = 0; column < columns; column++) {
      factor[column] = weight == null ? 1 : 1 + weight.at(0, column);
    }
    return adopt(new HeapNorm(factor, null, epsilon));
  }

  // Host and device -----------------------------------------------------------------------------

  @Override
  protected Tensor newTensor(float[] values, Sequences sequences, int columns) {
    return adopt(new HeapTensor(sequences, columns, values.clone()));
  }

  private HeapTensor newTensor(Sequences sequences, int columns) {
    return adopt(
        new HeapTensor(
            sequences, columns, new float[Math.multiplyExact(sequences.rows(), columns)]));
  }

  @Override
  protected float[] computeDownload(Tensor tensor) {
    return values(tensor).clone();
  }

  @Override
  protected Rotation newRotation(int[] positions, Sequences sequences, int headSize, double base) {
    int half = headSize / 2;
    float[] cosines = new float[positions.length * half];
    float[] sines = new float[positions.length * half];
    for (int i = 0; i < half; i++) {
      float frequency = Rotation.frequency(i, headSize, base);
      for (int row = 0; row < positions.length; row++) {
        float angle = positions[row] * frequency;
        cosines[row * half + i] = (float) StrictMath.cos(angle);
        sines[row * half + i] = (float) StrictMath.sin(angle);
      }
    }
    return adopt(new HeapRotation(sequences, headSize, cosines, sines));
  }

  // Operations ----------------------------------------------------------------------------------

  @Override
  protected Tensor computePatches(Images images, int patch) {
    int side = images.side();
    int across = side / patch;
    HeapTensor result =
        newTensor(Sequences.uniform(images.count(), across * across), 3 * patch * patch);
    float[] from = ((HostImages) images).pixels();
    float[] to = result.values();
    forEachRow(
        result.rows(),
        result.columns(),
        row -> {
          int image = row / (across * across);
          int top = row / across % across * patch;
          int left = row % across * patch;
          for (int channel = 0; channel < 3; channel++) {
            for (int y = 0; y < patch; y++) {
              int source = ((image * 3 + channel) * side + top + y) * side + left;
              int target = ((row * 3 + channel) * patch + y) * patch;
              System.arraycopy(from, source, to, target, patch);
            }
          }
        });
    return result;
  }

  @Override
  protected Tensor computeEmbed(Embedding table, Indices ids) {
    HeapEmbedding embedding = (HeapEmbedding) table;
    HostIndices entries = (HostIndices) ids;
    int columns = embedding.columns();
    HeapTensor result = newTensor(ids.sequences(), columns);
    for (int row = 0; row < result.rows(); row++) {
      for (int column = 0; column < columns; column++) {
        result.values()[row * columns + column] =
            embedding.table()[entries.at(row) * columns + column] * embedding.scale();
      }
    }
    return result;
  }

  @Override
  protected Tensor computeLayerNorm(Tensor x, Norm norm) {
    HeapNorm weights = (HeapNorm) norm;
    int columns = x.columns();
    float[] from = values(x);
    HeapTensor result = newTensor(x.sequences(), columns);
    forEachRow(
        x.rows(),
        columns,
        row -> {
          int start = row * columns;
          double sum = 0;
          for (int i = start; i < start + columns; i++) {
            sum += from[i];
          }
          double mean = sum / columns;
          double squares = 0;
          for (int i = start; i < start + columns; i++) {
            squares += (from[i] - mean) * (from[i] - mean);
          }
          double factor = 1 / Math.sqrt(squares / columns + weights.epsilon());
          for (int column = 0; column < columns; column++) {
            result.values()[start + column] =
                (float)
                    ((from[start + column] - mean) * factor * weights.factor()[column]
                        + weights.bias()[column]);
          }
        });
    return result;
  }

  @Override
  protected Tensor computeRmsNorm(Tensor x, Norm norm) {
    float[] zeros = new float[x.columns()];
    return rmsNorm(x, (HeapNorm) norm, zeros, zeros);
  }

  @Override
  protected Tensor computeAdaptiveRmsNorm(Tensor x, Norm norm, Tensor scale, Tensor shift) {
    return rmsNorm(x, (HeapNorm) norm, values(scale), values(shift));
  }

  private Tensor rmsNorm(Tensor x, HeapNorm norm, float[] scale, float[] shift) {
    int columns = x.columns();
    float[] from = values(x);
    HeapTensor result = newTensor(x.sequences(), columns);
    forEachRow(
        x.rows(),
        columns,
        row -> {
          int start = row * columns;
          double squares = 0;
          for (int i = start; i < start + columns; i++) {
            squares += (double) from[i] * from[i];
          }
          double factor = 1 / Math.sqrt(squares / columns + norm.epsilon());
          for (int column = 0; column < columns; column++) {
            double normed = from[start + column] * factor * norm.factor()[column];
            result.values()[start + column] =
                (float) (normed * (1.0 + scale[column]) + shift[column]);
          }
        });
    return result;
  }

  @Override
  protected Tensor computeLinear(Tensor x, Linear weights, Epilogue epilogue) {
    HeapLinear linear = (HeapLinear) weights;
    int columns = linear.outputs();
    float[] from = values(x);
    float[] bias = linear.bias();
    float[] shift = valuesOrNull(epilogue.shift());
    float[] gate = valuesOrNull(epilogue.gate());
    float[] residual = valuesOrNull(epilogue.residual());
    HeapTensor result = newTensor(x.sequences(), columns);
    forEachRow(
        x.rows(),
        (long) linear.inputs() * columns,
        row -> {
          double[] products = product(from, row, linear.inputs(), linear.weights(), columns);
          int start = row * columns;
          for (int column = 0; column < columns; column++) {
            double y = products[column];
            if (bias != null) {
              y += bias[column];
            }
            if (shift != null) {
              y += shift[column];
            }
            y = activate(epilogue.activation(), y);
            if (gate != null) {
              y *= gate[column];
            }
            if (residual != null) {
              y += residual[start + column];
            }
            result.values()[start + column] = (float) y;
          }
        });
    return result;
  }

  @Override
  protected Tensor computeGatedLinear(Tensor x, GatedLinear weights) {
    HeapGatedLinear gated = (HeapGatedLinear) weights;
    int columns = gated.outputs();
    float[] from = values(x);
    HeapTensor result = newTensor(x.sequences(), columns);
    forEachRow(
        x.rows(),
        2L * gated.inputs() * columns,
        row -> {
          double[] gate = product(from, row, gated.inputs(), gated.gate(), columns);
          double[] up = product(from, row, gated.inputs(), gated.up(), columns);
          for (int column = 0; column < columns; column++) {
            result.values()[row * columns + column] = (float) (geluTanh(gate[column]) * up[column]);
          }
        });
    return result;
  }

  /** One row of {@code x} times a matrix of inputs × outputs, summed from the first input on. */
  private static double[] product(float[] x, int row, int inputs, float[] matrix, int outputs) {
    double[] sums = new double[outputs];
    for (int input = 0; input < inputs; input++) {
      addScaled(sums, x[row * inputs + input], matrix, input * outputs);
    }
    return sums;
  }

  /** {@code sums += a · row}, for the row of {@code matrix} that begins at {@code start}. */
  private static void addScaled(double[] sums, double a, float[] matrix, int start) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += a * matrix[start + i];
    }
  }

  private static double activate(Activation activation, double x) {
    return switch (activation) {
      case NONE -> x;
      case GELU_TANH -> geluTanh(x);
      case SILU -> x / (1 + StrictMath.exp(-x));
    };
  }

  private static double geluTanh(double x) {
    return x / 2 * (1 + StrictMath.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)));
  }

  @Override
  protected Tensor computeRope(Tensor packed, Heads heads, Rotation rotation) {
    HeapRotation angles = (HeapRotation) rotation;
    int columns = heads.columns();
    int half = heads.size() / 2;
    float[] from = values(packed);
    HeapTensor result = newTensor(packed.sequences(), columns);
    float[] to = result.values();
    System.arraycopy(from, 0, to, 0, from.length);
    forEachRow(
        packed.rows(),
        columns,
        row -> {
          for (int head = 0; head < heads.query() + heads.keyValue(); head++) {
            int start = row * columns + head * heads.size();
            for (int i = 0; i < half; i++) {
              double cosine = angles.cosines()[row * half + i];
              double sine = angles.sines()[row * half + i];
              double first = from[start + i];
              double second = from[start + half + i];
              to[start + i] = (float) (first * cosine - second * sine);
              to[start + half + i] = (float) (second * cosine + first * sine);
            }
          }
        });
    return result;
  }

  @Override
  protected Tensor computeAttention(Tensor packed, Heads heads, Mask mask) {
    return attention(packed, heads, mask.context(), new float[0], new float[0]);
  }

  @Override
  protected Tensor computeAttention(
      Tensor packed, Heads heads, Mask mask, KeyValues context, int layer) {
    HeapKeyValues stored = (HeapKeyValues) context;
    return attention(packed, heads, mask.context(), stored.keys(layer), stored.values(layer));
  }

  /** Attention of each sequence over the rows of its context, then its own. */
  private Tensor attention(
      Tensor packed, Heads heads, Sequences context, float[] contextKeys, float[] contextValues) {
    Sequences own = packed.sequences();
    int size = heads.size();
    int stored = heads.keyValueColumns();
    int group = heads.query() / heads.keyValue();
    HeapTensor result = newTensor(own, heads.queryColumns());
    for (int sequence = 0; sequence < own.count(); sequence++) {
      int before = context.length(sequence);
      int rows = own.length(sequence);
      int start = own.start(sequence);
      int keyCount = before + rows;
      for (int head = 0; head < heads.keyValue(); head++) {
        float[] keys = new float[size * keyCount]; // (column, key)
        float[] values = new float[keyCount * size]; // (key, column)
        for (int key = 0; key < keyCount; key++) {
          boolean isContext = key < before;
          int row = isContext ? context.start(sequence) + key : start + key - before;
          int column = head * size;
          for (int i = 0; i < size; i++) {
            keys[i * keyCount + key] =
                isContext
                    ? contextKeys[row * stored + column + i]
                    : at(packed, row, heads.queryColumns() + column + i);
            values[key * size + i] =
                isContext
                    ? contextValues[row * stored + column + i]
                    : at(packed, row, heads.queryColumns() + stored + column + i);
          }
        }
        int firstQuery = head * group;
        forEachRow(
            rows * group,
            2L * keyCount * size,
            i -> {
              int row = start + i / group;
              int query = firstQuery + i % group;
              double[] weights = new double[keyCount];
              for (int d = 0; d < size; d++) {
                addScaled(weights, at(packed, row, query * size + d), keys, d * keyCount);
              }
              softmax(weights, 1 / Math.sqrt(size));
              double[] sums = new double[size];
              for (int key = 0; key < keyCount; key++) {
                addScaled(sums, weights[key], values, key * size);
              }
              for (int d = 0; d < size; d++) {
                result.values()[row * result.columns() + query * size + d] = (float) sums[d];
              }
            });
      }
    }
    return result;
  }

  /** Replaces scores by {@code softmax(scale · scores)}; the largest is subtracted before. */
  private static void softmax(double[] scores, double scale) {
    double largest = Arrays.stream(scores).max().orElse(0);
    double sum = 0;
    for (int i = 0; i < scores.length; i++) {
      scores[i] = StrictMath.exp((scores[i] - largest) * scale);
      sum += scores[i];
    }
    for (int i = 0; i < scores.length; i++) {
      scores[i] /= sum;
    }
  }

  @Override
  protected KeyValues newKeyValues(Sequences sequences, int layers, Heads heads) {
    return adopt(new HeapKeyValues(sequences, layers, heads));
  }

  @Override
  protected void computeStore(Tensor packed, Heads heads, KeyValues destination, int layer) {
    HeapKeyValues target = (HeapKeyValues) destination;
    float[] from = values(packed);
    int width = heads.keyValueColumns();
    for (int row = 0; row < packed.rows(); row++) {
      int start = row * heads.columns() + heads.queryColumns();
      System.arraycopy(from, start, target.keys(layer), row * width, width);
      System.arraycopy(from, start + width, target.values(layer), row * width, width);
    }
  }

  @Override
  protected void computeJoin(List<List<Part>> sequences, KeyValues joined) {
    HeapKeyValues target = (HeapKeyValues) joined;
    int width = joined.heads().keyValueColumns();
    int row = 0;
    for (List<Part> parts : sequences) {
      for (Part part : parts) {
        HeapKeyValues source = (HeapKeyValues) part.source();
        int start = source.sequences().start(part.sequence()) * width;
        int rows = source.sequences().length(part.sequence());
        for (int layer = 0; layer < joined.layers(); layer++) {
          System.arraycopy(
              source.keys(layer), start, target.keys(layer), row * width, rows * width);
          System.arraycopy(
              source.values(layer), start, target.values(layer), row * width, rows * width);
        }
        row += rows;
      }
    }
  }

  @Override
  protected HostKeyValues computeDownload(KeyValues source, int layer, int sequence) {
    HeapKeyValues stored = (HeapKeyValues) source;
    int width = source.heads().keyValueColumns();
    int from = source.sequences().start(sequence) * width;
    int rows = source.sequences().length(sequence);
    return new HostKeyValues(
        rows,
        Arrays.copyOfRange(stored.keys(layer), from, from + rows * width),
        Arrays.copyOfRange(stored.values(layer), from, from + rows * width));
  }

  @Override
  protected Tensor computeRows(List<List<Rows>> parts, Sequences sequences, int columns) {
    HeapTensor result = newTensor(sequences, columns);
    int row = 0;
    for (List<Rows> sequence : parts) {
      for (Rows part : sequence) {
        System.arraycopy(
            values(part.tensor()),
            part.from() * columns,
            result.values(),
            row * columns,
            part.count() * columns);
        row += part.count();
      }
    }
    return result;
  }

  @Override
  protected Tensor computeAdd(Tensor x, Tensor y) {
    float[] first = values(x);
    float[] second = values(y);
    HeapTensor result = newTensor(x.sequences(), x.columns());
    for (int i = 0; i < first.length; i++) {
      result.values()[i] = first[i] + second[i % second.length];
    }
    return result;
  }

  @Override
  protected Tensor computeAxpy(Tensor x, float a, Tensor y) {
    HeapTensor result = newTensor(x.sequences(), x.columns());
    for (int i = 0; i < result.values().length; i++) {
      result.values()[i] = (float) (values(x)[i] + (double) a * values(y)[i]);
    }
    return result;
  }

  @Override
  protected Tensor computeGuide(
      Tensor v, Tensor x, Tensor previous, Tensor weights, float t, float g) {
    int columns = v.columns();
    HeapTensor result = newTensor(v.sequences(), columns);
    for (int i = 0; i < result.values().length; i++) {
      double velocity = values(v)[i];
      double clean = values(x)[i] - t * velocity;
      double error = (values(previous)[i] - clean) * values(weights)[i / columns];
      result.values()[i] = (float) (velocity - g * error);
    }
    return result;
  }

  private static float[] values(Tensor tensor) {
    return ((HeapTensor) tensor).values();
  }

  private static float[] valuesOrNull(Tensor tensor) {
    return tensor == null ? null : values(tensor);
  }

  private static float at(Tensor tensor, int row, int column) {
    return values(tensor)[row * tensor.columns() + column];
  }

  /** Computes rows, in parallel where they are worth it. */
  private static void forEachRow(int rows, long workPerRow, IntConsumer row) {
    IntStream all = IntStream.range(0, rows);
    (rows * workPerRow > PARALLEL_WORK ? all.parallel() : all).forEach(row);
  }
}
