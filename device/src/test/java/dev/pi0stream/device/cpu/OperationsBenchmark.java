package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Activation;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Single operations in the sizes of π0's prefix: three cameras and a prompt, 816 rows through a
 * block of Gemma 2B; or the 50 action rows of its expert.
 *
 * <p>Run by {@code org.openjdk.jmh.Main} on the test class path: docs/performance.md.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class OperationsBenchmark {
  private static final Heads HEADS = new Heads(8, 1, 256);

  @Param({"FP32", "BF16", "INT8"})
  public Precision precision;

  @Param({"816", "50"})
  public int rows;

  private Device device;
  private Norm norm;
  private Linear projection;
  private Linear down;
  private GatedLinear gateAndUp;
  private Tensor x;
  private Tensor normed;
  private Tensor packed;
  private Tensor inner;
  private Rotation rotation;
  private Mask mask;

  /** Makes weights and rows. */
  @Setup
  public void open() {
    boolean prefix = rows > 50;
    int width = prefix ? 2048 : 1024;
    int mlp = prefix ? 16384 : 4096;
    device = CpuDevice.open(precision);
    norm = device.rmsNorm(null, width, 1e-6f);
    projection = device.linear(parameter(HEADS.columns(), width), null);
    gateAndUp = device.gatedLinear(parameter(mlp, width), parameter(mlp, width));
    down = device.linear(parameter(width, mlp), null);
    Sequences sequences = Sequences.of(rows);
    x = device.upload(numbers(rows * width), sequences, width);
    normed = device.rmsNorm(x, norm);
    packed = device.linear(normed, projection);
    inner = device.gatedLinear(normed, gateAndUp);
    rotation = device.rotation(new int[rows], sequences, HEADS.size(), 10_000);
    mask = device.mask(sequences);
  }

  private static Parameter parameter(int outputs, int inputs) {
    return Parameter.of("weight", outputs, inputs, numbers(outputs * inputs));
  }

  private static float[] numbers(int count) {
    SplittableRandom random = new SplittableRandom(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble() - 0.5f;
    }
    return values;
  }

  /** RMSNorm. */
  @Benchmark
  public int norm() {
    return closed(() -> device.rmsNorm(x, norm));
  }

  /** Queries, keys and values. */
  @Benchmark
  public int projection() {
    return closed(() -> device.linear(normed, projection));
  }

  /** Rotary positions. */
  @Benchmark
  public int rope() {
    return closed(() -> device.rope(packed, HEADS, rotation));
  }

  /** Every row over all rows. */
  @Benchmark
  public int attention() {
    return closed(() -> device.attention(packed, HEADS, mask));
  }

  /** The gate and up projections of the GeGLU. */
  @Benchmark
  public int gateAndUp() {
    return closed(() -> device.gatedLinear(normed, gateAndUp));
  }

  /** The down projection with its residual. */
  @Benchmark
  public int down() {
    return closed(() -> device.linear(inner, down, Epilogue.residual(x)));
  }

  /** A product with an activation behind it. */
  @Benchmark
  public int activated() {
    return closed(
        () -> device.linear(normed, projection, Epilogue.activation(Activation.GELU_TANH)));
  }

  private int closed(Supplier<Tensor> operation) {
    try (Scope _ = device.scope()) {
      return operation.get().rows();
    }
  }

  /** Frees everything. */
  @TearDown
  public void close() {
    device.close();
  }
}
