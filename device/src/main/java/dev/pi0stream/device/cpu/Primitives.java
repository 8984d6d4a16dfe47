package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The compiled primitives by operation, least recently used first out. Operations of equal shapes
 * share one, whatever their weights.
 */
final class Primitives implements AutoCloseable {
  /** Weights are laid out as a product with so many rows likes them best. */
  private static final int PACKING_ROWS = 256;

  /**
   * So many multiplications are worth waking other threads for: some ten microseconds. What is
   * smaller runs faster on the calling thread alone, and much faster where processors are busy.
   */
  private static final long PARALLEL_WORK = 1 << 22;

  private final Engine engine;
  private final int limit;
  private final Map<Operation, Primitive> compiled = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<WeightsShape, MemoryDescriptor> layouts = new HashMap<>();

  private record WeightsShape(DataType type, int inputs, int outputs) {}

  /** An empty cache that keeps so many primitives. */
  Primitives(Engine engine, int limit) {
    this.engine = engine;
    this.limit = limit;
  }

  /** The primitive of an operation, to be run before the next one is asked for. */
  Primitive of(Operation operation) {
    engine.use(operation.work() < PARALLEL_WORK ? 1 : engine.threads());
    Primitive primitive = compiled.get(operation);
    if (primitive == null) {
      if (compiled.size() >= limit) {
        Iterator<Primitive> eldest = compiled.values().iterator();
        eldest.next().close();
        eldest.remove();
      }
      primitive =
          switch (operation) {
            case Operation.Product product -> compile(product);
            case Operation.BatchProduct product -> compile(product);
            case Operation.Normalization normalization -> compile(normalization);
            case Operation.Softmax softmax -> compile(softmax);
            case Operation.Sum sum -> compile(sum);
            case Operation.GatedSum sum -> compile(sum);
            case Operation.Conversion conversion -> compile(conversion);
          };
      compiled.put(operation, primitive);
    }
    return primitive;
  }

  /** How many are kept. */
  int size() {
    return compiled.size();
  }

  /** The layout that oneDNN likes best for weights of this shape. */
  MemoryDescriptor weightsLayout(DataType type, int inputs, int outputs) {
    return layouts.computeIfAbsent(new WeightsShape(type, inputs, outputs), this::chooseLayout);
  }

  private MemoryDescriptor chooseLayout(WeightsShape shape) {
    engine.use(engine.threads());
    DataType type = shape.type();
    DataType result = type == DataType.F32 ? DataType.F32 : DataType.BF16;
    try (var attributes = productAttributes(type, List.of(), PACKING_ROWS, shape.outputs());
        var source = dense(type, PACKING_ROWS, shape.inputs());
        var weights =
            MemoryDescriptor.any(type, dimensions(type, shape.inputs(), shape.outputs()));
        var destination = dense(result, type, PACKING_ROWS, shape.outputs())) {
      MemorySegment product =
          OneDnn.matmul(
              engine.pointer(),
              source.pointer(),
              weights.pointer(),
              MemorySegment.NULL,
              destination.pointer(),
              attributes.pointer());
      try {
        return MemoryDescriptor.chosen(product, OneDnn.QUERY_WEIGHTS);
      } finally {
        OneDnn.primitiveDescriptorDestroy(product);
      }
    }
  }

  /**
   * The dimensions of a matrix in a product. With 8-bit integers it is one matrix of several: only
   * there does oneDNN's fast implementation multiply rows by a number each.
   */
  private static long[] dimensions(DataType product, long rows, long columns) {
    return product == DataType.S8 ? new long[] {1, rows, columns} : new long[] {rows, columns};
  }

  private static MemoryDescriptor dense(DataType product, long rows, long columns) {
    return dense(product, product, rows, columns);
  }

  private static MemoryDescriptor dense(DataType type, DataType product, long rows, long columns) {
    return MemoryDescriptor.dense(type, dimensions(product, rows, columns));
  }

  private static Attributes productAttributes(
      DataType type, List<PostOp> postOps, long rows, long columns) {
    long[] result = dimensions(type, rows, columns);
    Attributes attributes = new Attributes(postOps, result);
    return type == DataType.S8 ? attributes.scalingColumns(result.length) : attributes;
  }

  /** Lays out weights that are given in some format, outputs × inputs, rounding them to theirs. */
  void pack(WeightsSource from, DataType type, MemorySegment to, Workspace pad) {
    int inputs = from.inputs();
    int outputs = from.outputs();
    MemoryDescriptor layout = weightsLayout(type, inputs, outputs);
    engine.use(engine.threads());
    long[] steps = type == DataType.S8 ? new long[] {(long) inputs * outputs, 1, inputs} : null;
    try (var attributes = new Attributes();
        var source =
            MemoryDescriptor.strided(
                from.type(),
                dimensions(type, inputs, outputs),
                steps == null ? new long[] {1, inputs} : steps);
        var reorder = reorder(source, layout, attributes)) {
      reorder.run(pad, from.address(), to.address());
    }
  }

  /**
   * Weights before they are packed.
   *
   * @param address of outputs × inputs numbers
   */
  record WeightsSource(DataType type, int inputs, int outputs, long address) {}

  private Primitive compile(Operation.Product product) {
    DataType type = product.type();
    int rows = product.rows();
    int outputs = product.outputs();
    try (var source = dense(type, rows, product.inputs());
        var row = MemoryDescriptor.dense(DataType.F32, 1, outputs);
        var scales = MemoryDescriptor.dense(DataType.F32, outputs);
        var destination = dense(product.result(), type, rows, outputs);
        var attributes = productAttributes(type, product.postOps(), rows, outputs)) {
      MemoryDescriptor weights = weightsLayout(type, product.inputs(), outputs);
      List<Primitive.Argument> arguments = new ArrayList<>();
      arguments.add(new Primitive.Argument(OneDnn.ARG_SRC, source.pointer()));
      arguments.add(new Primitive.Argument(OneDnn.ARG_WEIGHTS, weights.pointer()));
      arguments.add(new Primitive.Argument(OneDnn.ARG_DST, destination.pointer()));
      if (type == DataType.S8) {
        arguments.add(new Primitive.Argument(OneDnn.ARG_WEIGHTS_SCALES, scales.pointer()));
      }
      if (product.bias()) {
        arguments.add(new Primitive.Argument(OneDnn.ARG_BIAS, row.pointer()));
      }
      MemorySegment descriptor =
          OneDnn.matmul(
              engine.pointer(),
              source.pointer(),
              weights.pointer(),
              product.bias() ? row.pointer() : MemorySegment.NULL,
              destination.pointer(),
              attributes.pointer());
      return primitive(descriptor, arguments, product.postOps(), dimensions(type, rows, outputs));
    }
  }

  /** A primitive whose arguments are some and the second operands of its post-ops. */
  private Primitive primitive(
      MemorySegment descriptor,
      List<Primitive.Argument> arguments,
      List<PostOp> postOps,
      long... result) {
    List<Primitive.Argument> all = new ArrayList<>(arguments);
    List<MemoryDescriptor> operands = new ArrayList<>();
    try {
      for (int i = 0; i < postOps.size(); i++) {
        if (postOps.get(i).second() != null) {
          operands.add(postOps.get(i).second().descriptor(result));
          all.add(new Primitive.Argument(OneDnn.postOpArgument(i), operands.getLast().pointer()));
        }
      }
      return new Primitive(engine, descriptor, all);
    } finally {
      operands.forEach(MemoryDescriptor::close);
    }
  }

  private Primitive compile(Operation.BatchProduct product) {
    Matrices result = product.destination();
    // Of one matrix alone oneDNN has a fast implementation that also adds a row.
    boolean single = result.count() == 1;
    long[] dimensions =
        single
            ? new long[] {result.rows(), result.columns()}
            : new long[] {result.count(), result.rows(), result.columns()};
    try (var source = single ? product.source().single() : product.source().descriptor();
        var weights = single ? product.weights().single() : product.weights().descriptor();
        var destination = single ? result.single() : result.descriptor();
        var attributes = new Attributes(product.postOps(), dimensions)) {
      MemorySegment descriptor =
          OneDnn.matmul(
              engine.pointer(),
              source.pointer(),
              weights.pointer(),
              MemorySegment.NULL,
              destination.pointer(),
              attributes.pointer());
      return primitive(
          descriptor,
          List.of(
              new Primitive.Argument(OneDnn.ARG_SRC, source.pointer()),
              new Primitive.Argument(OneDnn.ARG_WEIGHTS, weights.pointer()),
              new Primitive.Argument(OneDnn.ARG_DST, destination.pointer())),
          product.postOps(),
          dimensions);
    }
  }

  private Primitive compile(Operation.Normalization normalization) {
    try (var rows =
            MemoryDescriptor.dense(DataType.F32, normalization.rows(), normalization.columns());
        var result =
            MemoryDescriptor.dense(
                normalization.result(), normalization.rows(), normalization.columns());
        var row = MemoryDescriptor.dense(DataType.F32, normalization.columns());
        var attributes = new Attributes()) {
      MemorySegment descriptor =
          OneDnn.layerNormalization(
              engine.pointer(),
              rows.pointer(),
              result.pointer(),
              normalization.epsilon(),
              normalization.flags(),
              attributes.pointer());
      List<Primitive.Argument> arguments = new ArrayList<>();
      arguments.add(new Primitive.Argument(OneDnn.ARG_SRC, rows.pointer()));
      arguments.add(new Primitive.Argument(OneDnn.ARG_DST, result.pointer()));
      arguments.add(new Primitive.Argument(OneDnn.ARG_SCALE, row.pointer()));
      if ((normalization.flags() & OneDnn.USE_SHIFT) != 0) {
        arguments.add(new Primitive.Argument(OneDnn.ARG_SHIFT, row.pointer()));
      }
      return new Primitive(engine, descriptor, arguments);
    }
  }

  private Primitive compile(Operation.Softmax softmax) {
    try (var rows = MemoryDescriptor.dense(DataType.F32, softmax.rows(), softmax.columns());
        var result = MemoryDescriptor.dense(softmax.result(), softmax.rows(), softmax.columns());
        var attributes = new Attributes()) {
      return new Primitive(
          engine,
          OneDnn.softmax(
              engine.pointer(), rows.pointer(), result.pointer(), 1, attributes.pointer()),
          List.of(
              new Primitive.Argument(OneDnn.ARG_SRC, rows.pointer()),
              new Primitive.Argument(OneDnn.ARG_DST, result.pointer())));
    }
  }

  private Primitive compile(Operation.Sum sum) {
    try (var all = MemoryDescriptor.dense(DataType.F32, sum.repeats(), sum.rows(), sum.columns());
        var one = MemoryDescriptor.dense(DataType.F32, 1, sum.rows(), sum.columns());
        var attributes = new Attributes()) {
      return binary(OneDnn.BINARY_ADD, all, one, attributes, List.of());
    }
  }

  private Primitive compile(Operation.GatedSum sum) {
    List<PostOp> postOps = List.of(new PostOp.Add(PostOp.Operand.MATRIX));
    try (var matrix = MemoryDescriptor.dense(DataType.F32, sum.rows(), sum.columns());
        var row = MemoryDescriptor.dense(DataType.F32, 1, sum.columns());
        var attributes = new Attributes(postOps, sum.rows(), sum.columns())) {
      return binary(OneDnn.BINARY_MUL, matrix, row, attributes, postOps, sum.rows(), sum.columns());
    }
  }

  private Primitive binary(
      int algorithm,
      MemoryDescriptor first,
      MemoryDescriptor second,
      Attributes attributes,
      List<PostOp> postOps,
      long... result) {
    MemorySegment descriptor =
        OneDnn.binary(
            engine.pointer(),
            algorithm,
            first.pointer(),
            second.pointer(),
            first.pointer(),
            attributes.pointer());
    return primitive(
        descriptor,
        List.of(
            new Primitive.Argument(OneDnn.ARG_SRC, first.pointer()),
            new Primitive.Argument(OneDnn.ARG_SRC_1, second.pointer()),
            new Primitive.Argument(OneDnn.ARG_DST, first.pointer())),
        postOps,
        result);
  }

  private Primitive compile(Operation.Conversion conversion) {
    try (var from =
            MemoryDescriptor.dense(conversion.from(), conversion.rows(), conversion.columns());
        var to = MemoryDescriptor.dense(conversion.to(), conversion.rows(), conversion.columns());
        var attributes = new Attributes()) {
      return reorder(from, to, attributes);
    }
  }

  private Primitive reorder(MemoryDescriptor from, MemoryDescriptor to, Attributes attributes) {
    return new Primitive(
        engine,
        OneDnn.reorder(engine.pointer(), from.pointer(), to.pointer(), attributes.pointer()),
        List.of(
            new Primitive.Argument(OneDnn.ARG_SRC, from.pointer()),
            new Primitive.Argument(OneDnn.ARG_DST, to.pointer())));
  }

  @Override
  public void close() {
    compiled.values().forEach(Primitive::close);
    compiled.clear();
    layouts.values().forEach(MemoryDescriptor::close);
    layouts.clear();
  }
}
