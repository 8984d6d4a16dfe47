package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.PyFunction;
import dev.pi0stream.device.tt.python.PyObject;
import java.util.ArrayList;
import java.util.List;

/**
 * The operations of TTNN that the back end uses, by their names, on one device. Each returns new
 * tensors, which are the caller's. An operation that TTNN refuses is a {@link
 * dev.pi0stream.device.DeviceException} with its sentence.
 */
public final class Operations {
  private final MeshDevice device;
  private final Ttnn ttnn;
  private final Configurations configurations;
  private final PyFunction linear;
  private final PyFunction minimalMatmulSplit;
  private final PyFunction layerNorm;
  private final PyFunction rmsNorm;
  private final PyFunction createHeads;
  private final PyFunction rotaryEmbedding;
  private final PyFunction attention;
  private final PyFunction multiply;
  private final PyFunction multiplyActivated;
  private final PyFunction add;
  private final PyFunction addScaled;
  private final PyFunction subtract;
  private final PyFunction addcmul;
  private final PyFunction concat;
  private final PyFunction slice;
  private final PyFunction sliceInto;
  private final PyFunction reshape;
  private final PyFunction transpose;
  private final PyFunction permute;
  private final PyFunction toLayout;
  private final PyFunction pad;
  private final PyFunction embedding;
  private final PyFunction typecast;
  private final PyFunction clone;
  private final PyFunction copy;

  /** The operations on a device. */
  public Operations(MeshDevice device) {
    this.device = device;
    this.ttnn = device.ttnn();
    this.configurations = new Configurations(device);
    String memory = "memory_config";
    String compute = "compute_kernel_config";
    linear = ttnn.function("linear", "bias", "core_grid", "dtype", "activation", memory, compute);
    minimalMatmulSplit =
        ttnn.function(
            "experimental.minimal_matmul_split", "chunks", "dim", "dtype", memory, compute);
    layerNorm = ttnn.function("layer_norm", "epsilon", "weight", "bias", memory, compute);
    rmsNorm = ttnn.function("rms_norm", "epsilon", "weight", "bias", memory, compute);
    createHeads =
        ttnn.function(
            "experimental.nlp_create_qkv_heads",
            "num_heads",
            "num_kv_heads",
            "transpose_k_heads",
            "kv_tied",
            memory);
    rotaryEmbedding = ttnn.function("experimental.rotary_embedding", memory, compute);
    attention =
        ttnn.function(
            "transformer.scaled_dot_product_attention",
            "attn_mask",
            "is_causal",
            "scale",
            memory,
            "program_config",
            compute,
            "output_concat_heads");
    multiply = ttnn.function("multiply", memory);
    multiplyActivated = ttnn.function("multiply", memory, "input_tensor_a_activations");
    add = ttnn.function("add", "dtype", memory);
    addScaled = ttnn.function("add", memory, "input_tensor_b_activations");
    subtract = ttnn.function("subtract", memory);
    addcmul = ttnn.function("addcmul", memory);
    concat = ttnn.function("concat", memory);
    slice = ttnn.function("slice", memory);
    sliceInto = ttnn.function("slice", "output_tensor");
    reshape = ttnn.function("reshape");
    transpose = ttnn.function("transpose", memory);
    permute = ttnn.function("permute");
    toLayout = ttnn.function("to_layout");
    pad = ttnn.function("pad", memory);
    embedding = ttnn.function("embedding", "layout", "dtype");
    typecast = ttnn.function("typecast");
    clone = ttnn.function("clone", memory);
    copy = ttnn.function("copy");
  }

  // Matrix products -------------------------------------------------------------------------------

  /**
   * {@code activation(x·w + bias)}. The grid is named: without it the activation is an operation of
   * its own.
   *
   * @param x [1, 1, rows, inputs]
   * @param w [1, 1, inputs, outputs]
   * @param bias [1, 1, 1, outputs], or null
   */
  public TtnnTensor linear(
      TtnnTensor x,
      TtnnTensor w,
      TtnnTensor bias,
      Fused activation,
      Fidelity fidelity,
      DataType type,
      Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("linear", linear)
              .call(
                  frame,
                  in(x),
                  in(w),
                  inOrNull(bias),
                  configurations.grid(),
                  ttnn.type(type),
                  activation.ttnnName(),
                  ttnn.memory(memory),
                  configurations.compute(fidelity));
      return out(frame, result, x.shape().with(-1, w.shape().get(-1)), type, Layout.TILE);
    }
  }

  /**
   * {@code x·w}, its columns cut into two halves.
   *
   * @param x whose columns are whole tiles: what lies behind them would be multiplied too
   */
  public List<TtnnTensor> minimalMatmulSplit(
      TtnnTensor x, TtnnTensor w, Fidelity fidelity, DataType type, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("minimal_matmul_split", minimalMatmulSplit)
              .call(
                  frame,
                  in(x),
                  in(w),
                  2,
                  -1,
                  ttnn.type(type),
                  ttnn.memory(memory),
                  configurations.compute(fidelity));
      Shape half = x.shape().with(-1, w.shape().get(-1) / 2);
      return List.of(
          out(frame, frame.item(result, 0), half, type, Layout.TILE),
          out(frame, frame.item(result, 1), half, type, Layout.TILE));
    }
  }

  // Norms -----------------------------------------------------------------------------------------

  /** {@code (x − mean) / √(variance + ε) · weight + bias} along the last dimension. */
  public TtnnTensor layerNorm(
      TtnnTensor x, float epsilon, TtnnTensor weight, TtnnTensor bias, Memory memory) {
    return norm("layer_norm", layerNorm, x, epsilon, weight, bias, memory);
  }

  /** {@code x / √(mean(x²) + ε) · weight + bias}; weight and bias may be null. */
  public TtnnTensor rmsNorm(
      TtnnTensor x, float epsilon, TtnnTensor weight, TtnnTensor bias, Memory memory) {
    return norm("rms_norm", rmsNorm, x, epsilon, weight, bias, memory);
  }

  private TtnnTensor norm(
      String name,
      PyFunction function,
      TtnnTensor x,
      float epsilon,
      TtnnTensor weight,
      TtnnTensor bias,
      Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count(name, function)
              .call(
                  frame,
                  in(x),
                  epsilon,
                  inOrNull(weight),
                  inOrNull(bias),
                  ttnn.memory(memory),
                  configurations.compute(Fidelity.HIFI4));
      return out(frame, result, x.shape(), x.type(), Layout.TILE);
    }
  }

  // Attention -------------------------------------------------------------------------------------

  /**
   * Queries, keys and values of a projection.
   *
   * @param x [batch, 1, rows, (heads + 2·keyValueHeads)·size]
   * @return [batch, heads, rows, size] and twice [batch, keyValueHeads, rows, size]
   */
  public List<TtnnTensor> nlpCreateQkvHeads(
      TtnnTensor x, int heads, int keyValueHeads, Memory memory) {
    int size = x.shape().get(-1) / (heads + 2 * keyValueHeads);
    return createHeads(x, heads, keyValueHeads, size, false, memory);
  }

  /**
   * Keys and values of a projection without queries.
   *
   * @param x [batch, 1, rows, 2·heads·size]
   * @return twice [batch, heads, rows, size]
   */
  public List<TtnnTensor> nlpCreateKvHeads(TtnnTensor x, int heads, Memory memory) {
    int size = x.shape().get(-1) / (2 * heads);
    if (2 * size % (3 * Shape.TILE) == 0) {
      // TTNN could not tell it from a projection with queries.
      return List.of(heads(x, heads, size, 0, memory), heads(x, heads, size, heads * size, memory));
    }
    // The keys as queries; the values as what keys and values share, of which there are two copies.
    List<TtnnTensor> three = createHeads(x, heads, heads, size, true, memory);
    three.get(2).close();
    return three.subList(0, 2);
  }

  /** Some heads, one by one. */
  private TtnnTensor heads(TtnnTensor x, int heads, int size, int column, Memory memory) {
    List<TtnnTensor> parts = new ArrayList<>();
    try {
      for (int head = 0; head < heads; head++) {
        int[] start = {0, 0, 0, column + head * size};
        parts.add(slice(x, x.shape().with(-1, size), start, memory));
      }
      return heads == 1 ? parts.getFirst().share() : concat(parts, 1, memory);
    } finally {
      parts.forEach(TtnnTensor::close);
    }
  }

  private List<TtnnTensor> createHeads(
      TtnnTensor x, int heads, int keyValueHeads, int size, boolean tied, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("nlp_create_qkv_heads", createHeads)
              .call(frame, in(x), heads, keyValueHeads, false, tied, ttnn.memory(memory));
      int batch = x.shape().get(0);
      int rows = x.shape().get(-2);
      List<TtnnTensor> made = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Shape shape = Shape.of(batch, i == 0 ? heads : keyValueHeads, rows, size);
        made.add(out(frame, frame.item(result, i), shape, x.type(), Layout.TILE));
      }
      return made;
    }
  }

  /**
   * Rotates each head, half rotation.
   *
   * @param x [batch, heads, rows, size]
   * @param cosines [1, 1, rows, size]
   * @param sines like the cosines
   */
  public TtnnTensor rotaryEmbedding(
      TtnnTensor x, TtnnTensor cosines, TtnnTensor sines, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("rotary_embedding", rotaryEmbedding)
              .call(
                  frame,
                  in(x),
                  in(cosines),
                  in(sines),
                  ttnn.memory(memory),
                  configurations.compute(Fidelity.HIFI4));
      return out(frame, result, x.shape(), x.type(), Layout.TILE);
    }
  }

  /**
   * {@code softmax(scale·q·kᵀ + mask)·v}, exponentials not approximated.
   *
   * @param q [batch, heads, rows, size]
   * @param k [batch, keyValueHeads, keys, size]
   * @param v like {@code k}
   * @param mask [batch, 1, rows, keys], or null
   * @return [batch, 1, rows, heads·size]
   */
  public TtnnTensor scaledDotProductAttention(
      TtnnTensor q, TtnnTensor k, TtnnTensor v, TtnnTensor mask, double scale, Memory memory) {
    try (Frame frame = device.frame()) {
      int rows = q.shape().get(2);
      int size = q.shape().get(3);
      PyObject result =
          device
              .count("scaled_dot_product_attention", attention)
              .call(
                  frame,
                  in(q),
                  in(k),
                  in(v),
                  inOrNull(mask),
                  false,
                  scale,
                  ttnn.memory(memory),
                  configurations.attention(rows, k.shape().get(2)),
                  configurations.compute(Fidelity.HIFI4),
                  true);
      Shape shape = Shape.of(q.shape().get(0), 1, rows, q.shape().get(1) * size);
      return out(frame, result, shape, q.type(), Layout.TILE);
    }
  }

  // Elementwise -----------------------------------------------------------------------------------

  /** {@code x + y}; dimensions of size 1 of {@code y} or {@code x} are repeated. */
  public TtnnTensor add(TtnnTensor x, TtnnTensor y, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("add", add)
              .call(frame, in(x), in(y), ttnn.type(x.type()), ttnn.memory(memory));
      return out(frame, result, broadcast(x, y), x.type(), x.layout());
    }
  }

  /** {@code x + number}. */
  public TtnnTensor add(TtnnTensor x, float number, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("add", add)
              .call(frame, in(x), number, ttnn.type(x.type()), ttnn.memory(memory));
      return out(frame, result, x.shape(), x.type(), x.layout());
    }
  }

  /** {@code x + factor·y}. */
  public TtnnTensor addScaled(TtnnTensor x, TtnnTensor y, float factor, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("add", addScaled)
              .call(
                  frame,
                  in(x),
                  in(y),
                  ttnn.memory(memory),
                  List.of(configurations.unary("MUL_UNARY_SFPU", factor)));
      return out(frame, result, broadcast(x, y), x.type(), x.layout());
    }
  }

  /** {@code x − y}. */
  public TtnnTensor subtract(TtnnTensor x, TtnnTensor y, Memory memory) {
    return binary("subtract", subtract, x, y, memory);
  }

  /** {@code x ⊙ y}. */
  public TtnnTensor multiply(TtnnTensor x, TtnnTensor y, Memory memory) {
    return binary("multiply", multiply, x, y, memory);
  }

  private TtnnTensor binary(
      String name, PyFunction function, TtnnTensor x, TtnnTensor y, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result = device.count(name, function).call(frame, in(x), in(y), ttnn.memory(memory));
      return out(frame, result, broadcast(x, y), x.type(), x.layout());
    }
  }

  /** {@code x · number}. */
  public TtnnTensor multiply(TtnnTensor x, float number, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device.count("multiply", multiply).call(frame, in(x), number, ttnn.memory(memory));
      return out(frame, result, x.shape(), x.type(), x.layout());
    }
  }

  /** {@code gelu_tanh(x) ⊙ y}. */
  public TtnnTensor multiplyGelu(TtnnTensor x, TtnnTensor y, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("multiply", multiplyActivated)
              .call(
                  frame,
                  in(x),
                  in(y),
                  ttnn.memory(memory),
                  List.of(configurations.unary("GELU_TANH", null)));
      return out(frame, result, broadcast(x, y), x.type(), x.layout());
    }
  }

  /** {@code a + b ⊙ c}, all of one type; dimensions of size 1 of {@code c} are repeated. */
  public TtnnTensor addcmul(TtnnTensor a, TtnnTensor b, TtnnTensor c, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device.count("addcmul", addcmul).call(frame, in(a), in(b), in(c), ttnn.memory(memory));
      return out(frame, result, a.shape(), a.type(), a.layout());
    }
  }

  /** The same numbers in another type. */
  public TtnnTensor typecast(TtnnTensor x, DataType type) {
    try (Frame frame = device.frame()) {
      PyObject result = device.count("typecast", typecast).call(frame, in(x), ttnn.type(type));
      return out(frame, result, x.shape(), type, x.layout());
    }
  }

  // Movement --------------------------------------------------------------------------------------

  /** Tensors behind each other along a dimension. */
  public TtnnTensor concat(List<TtnnTensor> parts, int dimension, Memory memory) {
    try (Frame frame = device.frame()) {
      List<Object> objects = new ArrayList<>();
      int size = 0;
      for (TtnnTensor part : parts) {
        objects.add(in(part));
        size += part.shape().get(dimension);
      }
      PyObject result =
          device.count("concat", concat).call(frame, objects, dimension, ttnn.memory(memory));
      TtnnTensor first = parts.getFirst();
      return out(frame, result, first.shape().with(dimension, size), first.type(), first.layout());
    }
  }

  /** The part of a tensor from {@code start} to {@code end}, which is exclusive. */
  public TtnnTensor slice(TtnnTensor x, Shape size, int[] start, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("slice", slice)
              .call(frame, in(x), list(start), list(end(start, size)), ttnn.memory(memory));
      return out(frame, result, size, x.type(), x.layout());
    }
  }

  /** Copies the part of a tensor that begins at {@code start} over another tensor. */
  public void sliceInto(TtnnTensor x, int[] start, TtnnTensor destination) {
    if (x.shape().equals(destination.shape())) {
      copy(x, destination);
      return;
    }
    try (Frame frame = device.frame()) {
      device
          .count("slice", sliceInto)
          .call(frame, in(x), list(start), list(end(start, destination.shape())), in(destination));
    }
  }

  /** The same memory with other dimensions: rows of whole tiles, and the last dimension stays. */
  public TtnnTensor view(TtnnTensor x, Shape shape) {
    if (shape.equals(x.shape())) {
      return x.share();
    }
    if (shape.numbers() != x.shape().numbers() || shape.get(-1) != x.shape().get(-1)) {
      throw new IllegalArgumentException("a view of %s as %s".formatted(x.shape(), shape));
    }
    try (Frame frame = device.frame()) {
      PyObject result = device.count(reshape).call(frame, in(x), shape.toArray());
      return new TtnnTensor(device, frame.keep(result), x, shape, x.type(), x.layout());
    }
  }

  /** The same numbers, row after row, with other dimensions; a copy where rows change. */
  public TtnnTensor reshape(TtnnTensor x, Shape shape) {
    if (shape.get(-1) == x.shape().get(-1)) {
      return view(x, shape);
    }
    try (Frame frame = device.frame()) {
      PyObject result = device.count("reshape", reshape).call(frame, in(x), shape.toArray());
      return out(frame, result, shape, x.type(), x.layout());
    }
  }

  /** The first two dimensions exchanged. */
  public TtnnTensor transpose(TtnnTensor x, Memory memory) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device.count("transpose", transpose).call(frame, in(x), 0, 1, ttnn.memory(memory));
      Shape shape = x.shape().with(0, x.shape().get(1)).with(1, x.shape().get(0));
      return out(frame, result, shape, x.type(), x.layout());
    }
  }

  /** The dimensions in another order. */
  public TtnnTensor permute(TtnnTensor x, int... order) {
    try (Frame frame = device.frame()) {
      PyObject result = device.count("permute", permute).call(frame, in(x), order);
      int[] dimensions = new int[order.length];
      for (int i = 0; i < order.length; i++) {
        dimensions[i] = x.shape().get(order[i]);
      }
      return out(frame, result, Shape.of(dimensions), x.type(), x.layout());
    }
  }

  /** The same numbers in another layout. */
  public TtnnTensor toLayout(TtnnTensor x, Layout layout) {
    try (Frame frame = device.frame()) {
      PyObject result = device.count("to_layout", toLayout).call(frame, in(x), ttnn.layout(layout));
      return out(frame, result, x.shape(), x.type(), layout);
    }
  }

  /** Zeros behind the rows, the last but one dimension, up to so many. */
  public TtnnTensor padRows(TtnnTensor x, int rows, Memory memory) {
    int more = rows - x.shape().get(-2);
    List<Object> padding = new ArrayList<>();
    for (int i = 0; i < x.shape().rank(); i++) {
      padding.add(new int[] {0, i == x.shape().rank() - 2 ? more : 0});
    }
    try (Frame frame = device.frame()) {
      PyObject result =
          device.count("pad", pad).call(frame, in(x), padding, 0.0, ttnn.memory(memory));
      return out(frame, result, x.shape().with(-2, rows), x.type(), x.layout());
    }
  }

  /**
   * Looks up rows of a table.
   *
   * @param indices [batch, rows]
   * @param table [1, 1, entries, columns] of bfloat16, row after row
   * @return [batch, rows, columns] in tiles
   */
  public TtnnTensor embedding(TtnnTensor indices, TtnnTensor table) {
    try (Frame frame = device.frame()) {
      PyObject result =
          device
              .count("embedding", embedding)
              .call(
                  frame,
                  in(indices),
                  in(table),
                  ttnn.layout(Layout.TILE),
                  ttnn.type(DataType.BFLOAT16));
      Shape shape = Shape.of(indices.shape().get(0), indices.shape().get(1), table.shape().get(-1));
      return out(frame, result, shape, DataType.BFLOAT16, Layout.TILE);
    }
  }

  /** A copy in DRAM. */
  public TtnnTensor clone(TtnnTensor x) {
    try (Frame frame = device.frame()) {
      PyObject result = device.count("clone", clone).call(frame, in(x), ttnn.memory(Memory.DRAM));
      return out(frame, result, x.shape(), x.type(), x.layout());
    }
  }

  /** Copies a tensor over another of the same shape. */
  public void copy(TtnnTensor x, TtnnTensor destination) {
    try (Frame frame = device.frame()) {
      device.count("copy", copy).call(frame, in(x), in(destination));
    }
  }

  // Arguments -------------------------------------------------------------------------------------

  private Object in(TtnnTensor tensor) {
    return tensor.argument(device);
  }

  private Object inOrNull(TtnnTensor tensor) {
    return tensor == null ? null : in(tensor);
  }

  private TtnnTensor out(Frame frame, PyObject object, Shape shape, DataType type, Layout layout) {
    return device.tensor(frame, object, shape, type, layout);
  }

  private static Shape broadcast(TtnnTensor x, TtnnTensor y) {
    int[] dimensions = x.shape().toArray();
    for (int i = 1; i <= Math.min(dimensions.length, y.shape().rank()); i++) {
      int at = dimensions.length - i;
      dimensions[at] = Math.max(dimensions[at], y.shape().get(-i));
    }
    return Shape.of(dimensions);
  }

  private static int[] end(int[] start, Shape size) {
    int[] end = new int[start.length];
    for (int i = 0; i < end.length; i++) {
      end[i] = start[i] + size.get(i);
    }
    return end;
  }

  private static List<Integer> list(int[] numbers) {
    List<Integer> list = new ArrayList<>(numbers.length);
    for (int number : numbers) {
      list.add(number);
    }
    return list;
  }
}
