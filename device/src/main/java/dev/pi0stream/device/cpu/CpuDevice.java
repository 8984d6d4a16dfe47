package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.pi0stream.device.AbstractDevice;
import dev.pi0stream.device.DeviceException;
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
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * The processor, through oneDNN.
 *
 * <ul>
 *   <li>{@link Precision#FP32}: fp32 throughout.
 *   <li>{@link Precision#BF16}: the weights of matrix products are bf16, unless a layer asked for
 *       fp32, and so is what goes from one product to the next: the results of norms, of products
 *       without a residual, of attention and rotation, and keys and values. Sums, epilogues, the
 *       inside of norms, scores, softmax and the residual stream stay fp32.
 *   <li>{@link Precision#INT8}: as bf16, but that weights are 8-bit integers with a scale for each
 *       output, and rows are rounded to 8-bit integers with a scale for each row just before they
 *       are multiplied with them. Attention stays bf16.
 * </ul>
 *
 * <p>Memory is planned so that a step that was run before allocates nothing: tensors come from a
 * pool, values that do not outlive an operation from workspaces that only grow, and primitives are
 * compiled once for each shape.
 *
 * <p>Small operations run on the calling thread alone; the others on OpenMP's threads, which wait
 * as {@link WaitPolicy} says.
 */
public final class CpuDevice extends AbstractDevice {
  /** The number of threads of a device; by default as many as the JVM sees processors. */
  public static final String THREADS_PROPERTY = "pi0.cpu.threads";

  /** Freed blocks are kept for the next step up to this size. */
  private static final long IDLE_BYTES = 1L << 30;

  /**
   * Compiled primitives are kept up to this number, at 0.2 to 1 MB of code each. A policy has some
   * ten for each number of rows, and as many for each length of a sequence that it attends; both
   * are {@linkplain NativeTensor#computed rounded}, so that there are few.
   */
  private static final int PRIMITIVES = 512;

  private final DataType weightType;

  /** Of what goes from one product to the next. */
  private final DataType operandType;

  private final Engine engine;
  private final Primitives primitives;
  private final Attention attention;
  private final MemoryPool pool = new MemoryPool(IDLE_BYTES);
  private final Workspace scratchpad = new Workspace();
  private final Workspace operand = new Workspace();
  private final Workspace second = new Workspace();
  private final Workspace factors = new Workspace();
  private final RowBlocks blocks;
  private final Converter converter;
  private final Products products;

  private CpuDevice(Precision precision, int threads) {
    super("cpu", precision);
    weightType = weightType(precision);
    operandType = precision == Precision.FP32 ? DataType.F32 : DataType.BF16;
    engine = new Engine(threads);
    primitives = new Primitives(engine, PRIMITIVES);
    attention = new Attention(primitives, scratchpad);
    blocks = new RowBlocks(threads);
    converter = new Converter(primitives, scratchpad);
    products = new Products(primitives, scratchpad, converter, blocks);
  }

  private static DataType weightType(Precision precision) {
    return switch (precision) {
      case FP32 -> DataType.F32;
      case BF16 -> DataType.BF16;
      case INT8 -> DataType.S8;
      case BFP8 ->
          throw new IllegalArgumentException(
              "device 'cpu' computes in fp32, bf16 or int8, not in " + precision.label());
    };
  }

  /**
   * Opens the processor with the number of threads that {@link #THREADS_PROPERTY} says.
   *
   * @throws DeviceException where oneDNN cannot be loaded, or does not compute in this precision
   * @throws IllegalArgumentException where the property is no positive number
   */
  public static CpuDevice open(Precision precision) {
    String property = System.getProperty(THREADS_PROPERTY);
    if (property == null) {
      return open(precision, Runtime.getRuntime().availableProcessors());
    }
    if (!property.matches("[1-9][0-9]{0,3}")) {
      throw new IllegalArgumentException(
          "-D%s=%s: expected a positive number".formatted(THREADS_PROPERTY, property));
    }
    return open(precision, Integer.parseInt(property));
  }

  /**
   * Opens the processor.
   *
   * @param threads how many threads compute, the caller's among them
   * @throws DeviceException where oneDNN cannot be loaded, or does not compute in this precision
   */
  public static CpuDevice open(Precision precision, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads: expected at least 1");
    }
    OneDnn.verifyAvailable();
    CpuDevice device = new CpuDevice(precision, threads);
    try {
      device.primitives.weightsLayout(device.weightType, 64, 64);
      device.primitives.weightsLayout(device.operandType, 64, 64);
      device.checkLargeSums();
    } catch (DeviceException e) {
      device.close();
      throw new DeviceException(
          "device 'cpu' cannot multiply in %s on this processor; choose %s"
              .formatted(precision.label(), Precision.FP32.label()),
          e);
    }
    return device;
  }

  /**
   * Multiplies the largest numbers there are. Without instructions for 8-bit integers (VNNI),
   * oneDNN adds pairs of products in 16 bits, which saturate.
   */
  private void checkLargeSums() {
    int size = 64;
    float[] ones = new float[size * size];
    Arrays.fill(ones, 1);
    try (Linear linear = linear(Parameter.of("ones", size, size, ones), null);
        Tensor x = upload(ones, size, size);
        Tensor product = linear(x, linear)) {
      for (float sum : download(product)) {
        if (Math.abs(sum - size) > 1) {
          throw new DeviceException("%d times 1 is %s".formatted(size, sum));
        }
      }
    }
  }

  @Override
  public Measurements measurements() {
    Usage usage = usage();
    long taken = usage.weights() + usage.values() + pool.idleBytes();
    return new Measurements(0, taken, 0, 0, primitives.size(), 0, 0, 0);
  }

  @Override
  protected void free() {
    primitives.close();
    engine.close();
    pool.close();
    scratchpad.close();
    operand.close();
    second.close();
    attention.close();
    products.close();
    factors.close();
  }

  // Weights -----------------------------------------------------------------------------------

  @Override
  protected Linear newLinear(List<Parameter> weights, List<Parameter> biases, Precision precision) {
    DataType type = weightType(precision);
    PackedMatrix matrix = new PackedMatrix(weights, type, primitives, scratchpad);
    return adopt(new PackedLinear(matrix, biases.isEmpty() ? null : Parameters.toNative(biases)));
  }

  @Override
  protected GatedLinear newGatedLinear(Parameter gateWeight, Parameter up) {
    PackedMatrix first = pack(List.of(gateWeight));
    try {
      return adopt(new PackedGatedLinear(first, pack(List.of(up))));
    } catch (DeviceException e) {
      first.free();
      throw e;
    }
  }

  private PackedMatrix pack(List<Parameter> weights) {
    return new PackedMatrix(weights, weightType, primitives, scratchpad);
  }

  @Override
  protected Embedding newEmbedding(Parameter table, float scale) {
    return adopt(new NativeEmbedding(table, scale));
  }

  @Override
  protected Norm newLayerNorm(Parameter weight, Parameter bias, float epsilon) {
    return adopt(
        new NativeNorm(
            weight.columns(),
            Parameters.toNative(List.of(weight)),
            Parameters.toNative(List.of(bias)),
            epsilon));
  }

  @Override
  protected Norm newRmsNorm(Parameter weight, int columns, float epsilon) {
    float[] factor = new float[columns];
    for (int column = 0; column < columns; column++) {
      factor[column] = weight == null ? 1 : 1 + weight.at(0, column);
    }
    List<Parameter> row = List.of(Parameter.vector("1 + weight", factor));
    return adopt(new NativeNorm(columns, Parameters.toNative(row), null, epsilon));
  }

  // Host and device -----------------------------------------------------------------------------

  @Override
  protected Tensor newTensor(float[] values, Sequences sequences, int columns) {
    NativeTensor tensor = newTensor(DataType.F32, sequences, columns);
    MemorySegment.copy(values, 0, tensor.values(), JAVA_FLOAT, 0, values.length);
    return tensor;
  }

  private NativeTensor newTensor(DataType type, Sequences sequences, int columns) {
    return adopt(new NativeTensor(type, sequences, columns, pool));
  }

  @Override
  protected float[] computeDownload(Tensor tensor) {
    int count = Math.multiplyExact(tensor.rows(), tensor.columns());
    return read(converter.values((NativeTensor) tensor, DataType.F32, operand), 0, count);
  }

  private static float[] read(MemorySegment memory, long offset, int count) {
    float[] values = new float[count];
    MemorySegment.copy(memory, JAVA_FLOAT, offset, values, 0, count);
    return values;
  }

  @Override
  protected Rotation newRotation(int[] positions, Sequences sequences, int headSize, double base) {
    return adopt(new CpuRotation(positions, sequences, headSize, base));
  }

  // Operations ----------------------------------------------------------------------------------

  @Override
  protected Tensor computePatches(Images images, int patch) {
    int side = images.side();
    int across = side / patch;
    float[] from = ((HostImages) images).pixels();
    NativeTensor to =
        newTensor(
            DataType.F32, Sequences.uniform(images.count(), across * across), 3 * patch * patch);
    for (int row = 0; row < to.rows(); row++) {
      int image = row / (across * across);
      int top = row / across % across * patch;
      int left = row % across * patch;
      for (int channel = 0; channel < 3; channel++) {
        for (int y = 0; y < patch; y++) {
          int source = ((image * 3 + channel) * side + top + y) * side + left;
          long target = to.offset(row, (channel * patch + y) * patch);
          MemorySegment.copy(from, source, to.values(), JAVA_FLOAT, target, patch);
        }
      }
    }
    return to;
  }

  @Override
  protected Tensor computeEmbed(Embedding table, Indices ids) {
    NativeEmbedding embedding = (NativeEmbedding) table;
    HostIndices entries = (HostIndices) ids;
    NativeTensor result = newTensor(DataType.F32, ids.sequences(), embedding.columns());
    float[] entry = new float[embedding.columns()];
    for (int row = 0; row < result.rows(); row++) {
      embedding.read(entries.at(row), entry);
      MemorySegment.copy(
          entry, 0, result.values(), JAVA_FLOAT, result.offset(row, 0), entry.length);
    }
    return result;
  }

  @Override
  protected Tensor computeLayerNorm(Tensor x, Norm norm) {
    NativeNorm weights = (NativeNorm) norm;
    return normalize(
        x,
        weights.epsilon(),
        OneDnn.USE_SCALE | OneDnn.USE_SHIFT,
        weights.factor().address(),
        weights.bias().address());
  }

  @Override
  protected Tensor computeRmsNorm(Tensor x, Norm norm) {
    NativeNorm weights = (NativeNorm) norm;
    return normalize(
        x, weights.epsilon(), OneDnn.RMS_NORM | OneDnn.USE_SCALE, weights.factor().address());
  }

  @Override
  protected Tensor computeAdaptiveRmsNorm(Tensor x, Norm norm, Tensor scale, Tensor shift) {
    NativeNorm weights = (NativeNorm) norm;
    MemorySegment scales = converter.values((NativeTensor) scale, DataType.F32, operand);
    MemorySegment factor = factors.reserve((long) x.columns() * Float.BYTES);
    for (int column = 0; column < x.columns(); column++) {
      float weight = weights.factor().getAtIndex(JAVA_FLOAT, column);
      factor.setAtIndex(JAVA_FLOAT, column, weight * (1 + scales.getAtIndex(JAVA_FLOAT, column)));
    }
    return normalize(
        x,
        weights.epsilon(),
        OneDnn.RMS_NORM | OneDnn.USE_SCALE | OneDnn.USE_SHIFT,
        factor.address(),
        converter.address((NativeTensor) shift, DataType.F32, second));
  }

  private Tensor normalize(Tensor x, float epsilon, int flags, long... weights) {
    NativeTensor from = (NativeTensor) x;
    NativeTensor result = newTensor(operandType, x.sequences(), x.columns());
    if (x.rows() > 0) {
      long[] addresses = new long[2 + weights.length];
      addresses[0] = converter.address(from, DataType.F32, operand);
      addresses[1] = result.address();
      System.arraycopy(weights, 0, addresses, 2, weights.length);
      primitives
          .of(
              new Operation.Normalization(
                  operandType, from.computedRows(), x.columns(), epsilon, flags))
          .run(scratchpad, addresses);
    }
    return result;
  }

  @Override
  protected Tensor computeLinear(Tensor x, Linear weights, Epilogue epilogue) {
    PackedLinear linear = (PackedLinear) weights;
    DataType type = Products.resultType(linear, epilogue);
    NativeTensor result = newTensor(type, x.sequences(), linear.outputs());
    if (x.rows() > 0) {
      products.linear((NativeTensor) x, linear, epilogue, result);
    }
    return result;
  }

  @Override
  protected Tensor computeGatedLinear(Tensor x, GatedLinear weights) {
    PackedGatedLinear gated = (PackedGatedLinear) weights;
    NativeTensor result = newTensor(operandType, x.sequences(), gated.outputs());
    if (x.rows() > 0) {
      products.gated((NativeTensor) x, gated, result);
    }
    return result;
  }

  @Override
  protected Tensor computeRope(Tensor packed, Heads heads, Rotation rotation) {
    CpuRotation angles = (CpuRotation) rotation;
    NativeTensor given = (NativeTensor) packed;
    NativeTensor from = HeadRotator.rotatesHalves(heads) ? given : as(DataType.F32, given);
    NativeTensor to = newTensor(from.type(), packed.sequences(), packed.columns());
    blocks.forEach(
        packed.rows(),
        packed.columns(),
        (room, first, end) -> new HeadRotator(heads, angles).rotate(from, to, room, first, end));
    return to;
  }

  @Override
  protected Tensor computeAttention(Tensor packed, Heads heads, Mask mask) {
    NativeTensor from = (NativeTensor) packed;
    NativeTensor result = newTensor(from.type(), packed.sequences(), heads.queryColumns());
    attention.attend(from, heads, mask.sequences(), null, 0, result);
    return result;
  }

  @Override
  protected Tensor computeAttention(
      Tensor packed, Heads heads, Mask mask, KeyValues context, int layer) {
    NativeTensor from = as(operandType, packed);
    NativeTensor result = newTensor(operandType, packed.sequences(), heads.queryColumns());
    attention.attend(from, heads, mask.sequences(), (NativeKeyValues) context, layer, result);
    return result;
  }

  /** The same numbers in some format; the tensor itself if that is its. */
  private NativeTensor as(DataType type, Tensor tensor) {
    NativeTensor from = (NativeTensor) tensor;
    if (from.type() == type) {
      return from;
    }
    NativeTensor to = newTensor(type, tensor.sequences(), tensor.columns());
    if (tensor.rows() > 0) {
      converter.convert(
          from.address(), from.type(), to.address(), type, from.computedRows(), from.columns());
    }
    return to;
  }

  @Override
  protected KeyValues newKeyValues(Sequences sequences, int layers, Heads heads) {
    return adopt(new NativeKeyValues(operandType, sequences, layers, heads, pool));
  }

  @Override
  protected void computeStore(Tensor packed, Heads heads, KeyValues destination, int layer) {
    NativeKeyValues to = (NativeKeyValues) destination;
    NativeTensor from = (NativeTensor) packed;
    MemorySegment values = converter.values(from, operandType, operand);
    long rowBytes = (long) packed.columns() * operandType.bytes();
    long before = (long) heads.queryColumns() * operandType.bytes();
    for (int row = 0; row < packed.rows(); row++) {
      MemorySegment.copy(
          values, row * rowBytes + before, to.block(), to.offset(layer, row), to.rowBytes());
    }
  }

  @Override
  protected void computeJoin(List<List<Part>> sequences, KeyValues joined) {
    NativeKeyValues to = (NativeKeyValues) joined;
    int row = 0;
    for (List<Part> parts : sequences) {
      for (Part part : parts) {
        NativeKeyValues from = (NativeKeyValues) part.source();
        int first = from.sequences().start(part.sequence());
        int rows = from.sequences().length(part.sequence());
        for (int layer = 0; layer < joined.layers(); layer++) {
          MemorySegment.copy(
              from.block(),
              from.offset(layer, first),
              to.block(),
              to.offset(layer, row),
              rows * to.rowBytes());
        }
        row += rows;
      }
    }
  }

  @Override
  protected HostKeyValues computeDownload(KeyValues source, int layer, int sequence) {
    NativeKeyValues stored = (NativeKeyValues) source;
    int first = source.sequences().start(sequence);
    int rows = source.sequences().length(sequence);
    int width = source.heads().keyValueColumns();
    float[] keys = new float[Math.multiplyExact(rows, width)];
    float[] values = new float[keys.length];
    if (rows > 0) {
      int bytes = 2 * rows * width * Float.BYTES;
      MemorySegment wide = operand.reserve(bytes);
      long from = stored.block().address() + stored.offset(layer, first);
      converter.convert(from, stored.type(), wide.address(), DataType.F32, rows, 2 * width);
      for (int row = 0; row < rows; row++) {
        long offset = 2L * row * width * Float.BYTES;
        long behind = offset + (long) width * Float.BYTES;
        MemorySegment.copy(wide, JAVA_FLOAT, offset, keys, row * width, width);
        MemorySegment.copy(wide, JAVA_FLOAT, behind, values, row * width, width);
      }
    }
    return new HostKeyValues(rows, keys, values);
  }

  @Override
  protected Tensor computeRows(List<List<Rows>> parts, Sequences sequences, int columns) {
    List<NativeTensor> tensors =
        parts.stream().flatMap(List::stream).map(part -> (NativeTensor) part.tensor()).toList();
    boolean same = tensors.stream().allMatch(from -> from.type() == tensors.getFirst().type());
    DataType type = same && !tensors.isEmpty() ? tensors.getFirst().type() : DataType.F32;
    NativeTensor result = newTensor(type, sequences, columns);
    int row = 0;
    for (List<Rows> sequence : parts) {
      for (Rows part : sequence) {
        NativeTensor from = (NativeTensor) part.tensor();
        if (part.count() > 0 && from.type() != type) {
          converter.convert(
              from.address(part.from(), 0),
              from.type(),
              result.address(row, 0),
              type,
              part.count(),
              columns);
        } else {
          MemorySegment.copy(
              from.values(),
              from.offset(part.from(), 0),
              result.values(),
              result.offset(row, 0),
              (long) part.count() * columns * type.bytes());
        }
        row += part.count();
      }
    }
    return result;
  }

  @Override
  protected Tensor computeAdd(Tensor x, Tensor y) {
    NativeTensor result = newTensor(DataType.F32, x.sequences(), x.columns());
    if (x.rows() > 0) {
      primitives
          .of(new Operation.Sum(x.rows() / y.rows(), y.rows(), y.columns()))
          .run(
              scratchpad,
              converter.address((NativeTensor) x, DataType.F32, operand),
              converter.address((NativeTensor) y, DataType.F32, second),
              result.address());
    }
    return result;
  }

  // The two below run on tensors of action rows, a few thousand numbers, once a step: plain loops.

  @Override
  protected Tensor computeAxpy(Tensor x, float a, Tensor y) {
    float[] values = computeDownload(x);
    float[] direction = computeDownload(y);
    for (int i = 0; i < values.length; i++) {
      values[i] += a * direction[i];
    }
    return newTensor(values, x.sequences(), x.columns());
  }

  @Override
  protected Tensor computeGuide(
      Tensor v, Tensor x, Tensor previous, Tensor weights, float t, float g) {
    float[] velocity = computeDownload(v);
    float[] noisy = computeDownload(x);
    float[] target = computeDownload(previous);
    float[] held = computeDownload(weights);
    int columns = v.columns();
    for (int i = 0; i < velocity.length; i++) {
      float error = target[i] - (noisy[i] - t * velocity[i]);
      velocity[i] -= g * held[i / columns] * error;
    }
    return newTensor(velocity, v.sequences(), columns);
  }
}
