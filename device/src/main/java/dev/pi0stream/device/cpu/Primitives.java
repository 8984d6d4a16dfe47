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
            case Operation.Rounding rounding -> compile(rounding);
          };
      compiled.put(operation, primitive);
    }
    return primitive;
  }

  /** The layout that oneDNN likes best for weights of this shape. */
  MemoryDescriptor weightsLayout(DataType type, int inputs, int outputs) {
    return layouts.computeIfAbsent(new WeightsShape(type, inputs, outputs), this::chooseLayout);
  }

  private MemoryDescriptor chooseLayout(WeightsShape shape) {
    engine.use(engine.threads());
    try (var attributes = new Attributes();
        var source = MemoryDescriptor.dense(shape.type(), PACKING_ROWS, shape.inputs());
        var weights = MemoryDescriptor.any(shape.type(), shape.inputs(), shape.outputs());
        var destination = MemoryDescriptor.dense(DataType.F32, PACKING_ROWS, shape.outputs())) {
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

  /** Rounds and lays out weights that are given in fp32, outputs × inputs. */
  void pack(
      DataType type, int inputs, int outputs, MemorySegment from, MemorySegment to, Workspace pad) {
    MemoryDescriptor layout = weightsLayout(type, inputs, outputs);
    engine.use(engine.threads());
    try (var attributes = new Attributes();
        var source =
            MemoryDescriptor.strided(
                DataType.F32, new long[] {inputs, outputs}, new long[] {1, inputs});
        var reorder = reorder(source, layout, attributes)) {
      reorder.run(pad, from.address(), to.address());
    }
  }

  private Primitive compile(Operation.Product product) {
    try (var source = MemoryDescriptor.dense(product.type(), product.rows(), product.inputs());
        var row = MemoryDescriptor.dense(DataType.F32, 1, product.outputs());
        var matrix = MemoryDescriptor.dense(DataType.F32, product.rows(), product.outputs());
        var attributes = new Attributes(product.postOps(), row, matrix)) {
      MemoryDescriptor weights = weightsLayout(product.type(), product.inputs(), product.outputs());
      List<Primitive.Argument> arguments = new ArrayList<>();
      arguments.add(new Primitive.Argument(OneDnn.ARG_SRC, source.pointer()));
      arguments.add(new Primitive.Argument(OneDnn.ARG_WEIGHTS, weights.pointer()));
      arguments.add(new Primitive.Argument(OneDnn.ARG_DST, matrix.pointer()));
      if (product.bias()) {
        arguments.add(new Primitive.Argument(OneDnn.ARG_BIAS, row.pointer()));
      }
      for (int i = 0; i < product.postOps().size(); i++) {
        PostOp.Operand operand =
            switch (product.postOps().get(i)) {
              case PostOp.Add add -> add.operand();
              case PostOp.Multiply multiply -> multiply.operand();
              case PostOp.Scale _, PostOp.Apply _, PostOp.Accumulate _ -> null;
            };
        if (operand != null) {
          MemoryDescriptor shape = operand == PostOp.Operand.ROW ? row : matrix;
          arguments.add(new Primitive.Argument(OneDnn.postOpArgument(i), shape.pointer()));
        }
      }
      MemorySegment descriptor =
          OneDnn.matmul(
              engine.pointer(),
              source.pointer(),
              weights.pointer(),
              product.bias() ? row.pointer() : MemorySegment.NULL,
              matrix.pointer(),
              attributes.pointer());
      return new Primitive(engine, descriptor, arguments);
    }
  }

  private Primitive compile(Operation.BatchProduct product) {
    try (var source = product.source().descriptor();
        var weights = product.weights().descriptor();
        var destination = product.destination().descriptor();
        var attributes = new Attributes(product.postOps(), null, null)) {
      MemorySegment descriptor =
          OneDnn.matmul(
              engine.pointer(),
              source.pointer(),
              weights.pointer(),
              MemorySegment.NULL,
              destination.pointer(),
              attributes.pointer());
      return new Primitive(
          engine,
          descriptor,
          List.of(
              new Primitive.Argument(OneDnn.ARG_SRC, source.pointer()),
              new Primitive.Argument(OneDnn.ARG_WEIGHTS, weights.pointer()),
              new Primitive.Argument(OneDnn.ARG_DST, destination.pointer())));
    }
  }

  private Primitive compile(Operation.Normalization normalization) {
    try (var rows =
            MemoryDescriptor.dense(DataType.F32, normalization.rows(), normalization.columns());
        var row = MemoryDescriptor.dense(DataType.F32, normalization.columns());
        var attributes = new Attributes()) {
      MemorySegment descriptor =
          OneDnn.layerNormalization(
              engine.pointer(),
              rows.pointer(),
              normalization.epsilon(),
              normalization.flags(),
              attributes.pointer());
      List<Primitive.Argument> arguments = new ArrayList<>();
      arguments.add(new Primitive.Argument(OneDnn.ARG_SRC, rows.pointer()));
      arguments.add(new Primitive.Argument(OneDnn.ARG_DST, rows.pointer()));
      arguments.add(new Primitive.Argument(OneDnn.ARG_SCALE, row.pointer()));
      if ((normalization.flags() & OneDnn.USE_SHIFT) != 0) {
        arguments.add(new Primitive.Argument(OneDnn.ARG_SHIFT, row.pointer()));
      }
      return new Primitive(engine, descriptor, arguments);
    }
  }

  private Primitive compile(Operation.Softmax softmax) {
    try (var rows = MemoryDescriptor.dense(DataType.F32, softmax.rows(), softmax.columns());
        var attributes = new Attributes()) {
      return new Primitive(
          engine,
          OneDnn.softmax(engine.pointer(), rows.pointer(), 1, attributes.pointer()),
          List.of(
              new Primitive.Argument(OneDnn.ARG_SRC, rows.pointer()),
              new Primitive.Argument(OneDnn.ARG_DST, rows.pointer())));
    }
  }

  private Primitive compile(Operation.Sum sum) {
    try (var all = MemoryDescriptor.dense(DataType.F32, sum.repeats(), sum.rows(), sum.columns());
        var one = MemoryDescriptor.dense(DataType.F32, 1, sum.rows(), sum.columns());
        var attributes = new Attributes()) {
      return new Primitive(
          engine,
          OneDnn.binary(
              engine.pointer(),
              OneDnn.BINARY_ADD,
              all.pointer(),
              one.pointer(),
              attributes.pointer()),
          List.of(
              new Primitive.Argument(OneDnn.ARG_SRC, all.pointer()),
              new Primitive.Argument(OneDnn.ARG_SRC_1, one.pointer()),
              new Primitive.Argument(OneDnn.ARG_DST, all.pointer())));
    }
  }

  private Primitive compile(Operation.Rounding rounding) {
    try (var from = MemoryDescriptor.dense(DataType.F32, rounding.rows(), rounding.columns());
        var to = MemoryDescriptor.dense(DataType.BF16, rounding.rows(), rounding.columns());
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
