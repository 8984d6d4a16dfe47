package dev.pi0stream.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What every back end shares: lifetimes, and the checks of all arguments. A back end implements the
 * {@code new…} and {@code compute…} methods, which see only open resources of its own and shapes
 * that fit; what they make they hand to {@link #adopt} before they fill it, so that it is freed
 * with its scope also when the filling fails.
 */
public abstract class AbstractDevice implements Device {
  private final String name;
  private final Precision precision;
  private final Lifetimes lifetimes;

  /** A device without resources. */
  protected AbstractDevice(String name, Precision precision) {
    this.name = Objects.requireNonNull(name, "name");
    this.precision = Objects.requireNonNull(precision, "precision");
    this.lifetimes = new Lifetimes(name);
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Precision precision() {
    return precision;
  }

  // Weights -----------------------------------------------------------------------------------

  @Override
  public final Linear linear(Parameter weight, Parameter bias, Precision wanted) {
    lifetimes.checkOpen("linear");
    checkPrecision("linear", wanted);
    List<Parameter> biases = bias == null ? List.of() : List.of(bias);
    checkStack("linear", List.of(weight), biases);
    return newLinear(List.of(weight), biases, wanted);
  }

  @Override
  public final Linear projection(
      Heads heads,
      Parameter query,
      Parameter key,
      Parameter value,
      List<Parameter> biases,
      Precision wanted) {
    String operation = "projection";
    lifetimes.checkOpen(operation);
    checkPrecision(operation, wanted);
    List<Parameter> weights = new ArrayList<>();
    if (query != null) {
      checkRows(operation, query, heads.queryColumns());
      weights.add(query);
    } else if (heads.query() > 0) {
      throw new IllegalArgumentException(
          "projection: no query weight for %d query heads".formatted(heads.query()));
    }
    checkRows(operation, key, heads.keyValueColumns());
    checkRows(operation, value, heads.keyValueColumns());
    weights.add(key);
    weights.add(value);
    checkStack(operation, weights, biases);
    return newProjection(heads, List.copyOf(weights), List.copyOf(biases), wanted);
  }

  @Override
  public final Linear merge(Heads heads, Parameter weight, Parameter bias, Precision wanted) {
    String operation = "merge";
    lifetimes.checkOpen(operation);
    checkPrecision(operation, wanted);
    if (weight.columns() != heads.queryColumns()) {
      throw new IllegalArgumentException(
          "merge: %s is %s, its columns should be the %d of %s"
              .formatted(weight.name(), shape(weight), heads.queryColumns(), heads));
    }
    List<Parameter> biases = bias == null ? List.of() : List.of(bias);
    checkStack(operation, List.of(weight), biases);
    return newMerge(heads, weight, biases, wanted);
  }

  @Override
  public final GatedLinear gatedLinear(Parameter gate, Parameter up) {
    lifetimes.checkOpen("gatedLinear");
    checkNotEmpty("gatedLinear", gate);
    if (gate.rows() != up.rows() || gate.columns() != up.columns()) {
      throw mismatch("gatedLinear", gate.name(), shape(gate), up.name(), shape(up));
    }
    return newGatedLinear(gate, up);
  }

  @Override
  public final Embedding embedding(Parameter table, float scale) {
    lifetimes.checkOpen("embedding");
    checkNotEmpty("embedding", table);
    return newEmbedding(table, scale);
  }

  @Override
  public final Norm layerNorm(Parameter weight, Parameter bias, float epsilon) {
    lifetimes.checkOpen("layerNorm");
    checkNotEmpty("layerNorm", weight);
    checkVector("layerNorm", weight, weight.columns());
    checkVector("layerNorm", bias, weight.columns());
    return newLayerNorm(weight, bias, epsilon);
  }

  @Override
  public final Norm rmsNorm(Parameter weight, int columns, float epsilon) {
    lifetimes.checkOpen("rmsNorm");
    if (columns < 1) {
      throw new IllegalArgumentException("rmsNorm: " + columns + " columns");
    }
    if (weight != null) {
      checkVector("rmsNorm", weight, columns);
    }
    return newRmsNorm(weight, columns, epsilon);
  }

  // Host and device -----------------------------------------------------------------------------

  @Override
  public final Tensor upload(float[] values, Sequences sequences, int columns) {
    lifetimes.checkOpen("upload");
    if (columns < 1 || (long) sequences.rows() * columns != values.length) {
      throw new IllegalArgumentException(
          "upload: %d numbers for a tensor of %s"
              .formatted(values.length, shape(sequences.rows(), columns)));
    }
    return newTensor(values, sequences, columns);
  }

  @Override
  public final Images images(float[] pixels, int count, int side) {
    lifetimes.checkOpen("images");
    if (count < 0 || side < 1 || 3L * count * side * side != pixels.length) {
      throw new IllegalArgumentException(
          "images: %d numbers for %d pictures of 3 × %d × %d"
              .formatted(pixels.length, count, side, side));
    }
    return newImages(pixels, count, side);
  }

  @Override
  public final Indices indices(int[] numbers, Sequences sequences) {
    lifetimes.checkOpen("indices");
    checkOneForEachRow("indices", "numbers", numbers, sequences);
    for (int row = 0; row < numbers.length; row++) {
      if (numbers[row] < 0) {
        throw new IllegalArgumentException(
            "indices: %d at %d, expected none below 0".formatted(numbers[row], row));
      }
    }
    return newIndices(numbers, sequences);
  }

  @Override
  public final float[] download(Tensor tensor) {
    lifetimes.checkOpen("download");
    lifetimes.check("download", "tensor", tensor);
    return computeDownload(tensor);
  }

  @Override
  public final Rotation rotation(int[] positions, Sequences sequences, int headSize, double base) {
    lifetimes.checkOpen("rotation");
    checkOneForEachRow("rotation", "positions", positions, sequences);
    if (headSize < 2 || headSize % 2 != 0) {
      throw new IllegalArgumentException(
          "rotation: head size " + headSize + ", expected a positive even number");
    }
    if (!(base > 0) || Double.isInfinite(base)) {
      throw new IllegalArgumentException("rotation: base " + base + ", expected a positive number");
    }
    return newRotation(positions, sequences, headSize, base);
  }

  @Override
  public final Mask mask(Sequences sequences, Sequences context) {
    lifetimes.checkOpen("mask");
    if (sequences.count() != context.count()) {
      throw mismatch("mask", "rows", sequences, "context", context);
    }
    return newMask(sequences, context);
  }

  // Operations ----------------------------------------------------------------------------------

  @Override
  public final Tensor patches(Images images, int patch) {
    lifetimes.checkOpen("patches");
    lifetimes.check("patches", "images", images);
    if (patch < 1 || images.side() % patch != 0) {
      throw new IllegalArgumentException(
          "patches: side %d is not a multiple of patch %d".formatted(images.side(), patch));
    }
    return computePatches(images, patch);
  }

  @Override
  public final Tensor embed(Embedding table, Indices ids) {
    lifetimes.checkOpen("embed");
    lifetimes.check("embed", "table", table);
    lifetimes.check("embed", "ids", ids);
    if (ids instanceof DeviceIndices held && held.largest() >= table.entries()) {
      throw new IllegalArgumentException(
          "embed: id %d, the table is %s"
              .formatted(held.largest(), shape(table.entries(), table.columns())));
    }
    return computeEmbed(table, ids);
  }

  @Override
  public final Tensor layerNorm(Tensor x, Norm norm) {
    checkNorm("layerNorm", x, norm);
    return computeLayerNorm(x, norm);
  }

  @Override
  public final Tensor rmsNorm(Tensor x, Norm norm) {
    checkNorm("rmsNorm", x, norm);
    return computeRmsNorm(x, norm);
  }

  @Override
  public final Tensor adaptiveRmsNorm(Tensor x, Norm norm, Tensor scale, Tensor shift) {
    checkNorm("adaptiveRmsNorm", x, norm);
    checkRow("adaptiveRmsNorm", "scale", scale, x);
    checkRow("adaptiveRmsNorm", "shift", shift, x);
    return computeAdaptiveRmsNorm(x, norm, scale, shift);
  }

  @Override
  public final Tensor linear(Tensor x, Linear weights, Epilogue epilogue) {
    String operation = "linear";
    lifetimes.checkOpen(operation);
    lifetimes.check(operation, "x", x);
    lifetimes.check(operation, "weights", weights);
    checkInputs(operation, x, weights.outputs(), weights.inputs());
    int rows = x.rows();
    int columns = weights.outputs();
    checkEpilogue(operation, "shift", epilogue.shift(), 1, columns, x, weights.inputs());
    checkEpilogue(operation, "residual", epilogue.residual(), rows, columns, x, weights.inputs());
    checkEpilogue(operation, "gate", epilogue.gate(), 1, columns, x, weights.inputs());
    return computeLinear(x, weights, epilogue);
  }

  @Override
  public final Tensor gatedLinear(Tensor x, GatedLinear weights) {
    lifetimes.checkOpen("gatedLinear");
    lifetimes.check("gatedLinear", "x", x);
    lifetimes.check("gatedLinear", "weights", weights);
    checkInputs("gatedLinear", x, weights.outputs(), weights.inputs());
    return computeGatedLinear(x, weights);
  }

  @Override
  public final Tensor rope(Tensor packed, Heads heads, Rotation rotation) {
    lifetimes.checkOpen("rope");
    lifetimes.check("rope", "packed", packed);
    lifetimes.check("rope", "rotation", rotation);
    checkPacked("rope", packed, heads);
    if (!rotation.sequences().equals(packed.sequences()) || rotation.size() != heads.size()) {
      throw new IllegalArgumentException(
          "rope: packed is %s with heads of size %d, rotation is for %s and size %d"
              .formatted(packed.sequences(), heads.size(), rotation.sequences(), rotation.size()));
    }
    return computeRope(packed, heads, rotation);
  }

  @Override
  public final Tensor attention(Tensor packed, Heads heads, Mask mask) {
    checkAttention(packed, heads, mask);
    if (mask.context().rows() > 0) {
      throw new IllegalArgumentException(
          "attention: the mask is for a context of " + mask.context() + ", there is none");
    }
    return computeAttention(packed, heads, mask);
  }

  @Override
  public final Tensor attention(
      Tensor packed, Heads heads, Mask mask, KeyValues context, int layer) {
    checkAttention(packed, heads, mask);
    lifetimes.check("attention", "context", context);
    checkLayer("attention", context, layer);
    if (!context.sequences().equals(mask.context())) {
      throw mismatch("attention", "context", context.sequences(), "mask", mask.context());
    }
    checkKeyValueHeads("attention", heads, context.heads());
    if (context instanceof DeviceKeyValues held && !held.isFilled(layer)) {
      throw new IllegalStateException(
          "attention: layer " + layer + " of the context has not been stored");
    }
    return computeAttention(packed, heads, mask, context, layer);
  }

  @Override
  public final KeyValues keyValues(Sequences sequences, int layers, Heads heads) {
    lifetimes.checkOpen("keyValues");
    if (layers < 1) {
      throw new IllegalArgumentException("keyValues: " + layers + " layers");
    }
    return newKeyValues(sequences, layers, heads);
  }

  @Override
  public final void store(Tensor packed, Heads heads, KeyValues destination, int layer) {
    lifetimes.checkOpen("store");
    lifetimes.check("store", "packed", packed);
    lifetimes.check("store", "destination", destination);
    checkPacked("store", packed, heads);
    checkLayer("store", destination, layer);
    checkKeyValueHeads("store", heads, destination.heads());
    if (!packed.sequences().equals(destination.sequences())) {
      throw mismatch("store", "packed", packed.sequences(), "destination", destination.sequences());
    }
    computeStore(packed, heads, destination, layer);
    if (destination instanceof DeviceKeyValues held) {
      held.markFilled(layer);
    }
  }

  @Override
  public final KeyValues join(List<List<Part>> sequences) {
    lifetimes.checkOpen("join");
    List<Part> parts = sequences.stream().flatMap(List::stream).toList();
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("join: no part in any sequence");
    }
    for (Part part : parts) {
      lifetimes.check("join", "source", part.source());
      Objects.checkIndex(part.sequence(), part.source().sequences().count());
    }
    KeyValues first = parts.getFirst().source();
    for (Part part : parts) {
      KeyValues source = part.source();
      checkKeyValueHeads("join", first.heads(), source.heads());
      if (source.layers() != first.layers()) {
        throw new IllegalArgumentException(
            "join: key/values of %d and of %d layers".formatted(first.layers(), source.layers()));
      }
    }
    int[] lengths = new int[sequences.size()];
    for (int i = 0; i < lengths.length; i++) {
      for (Part part : sequences.get(i)) {
        lengths[i] = Math.addExact(lengths[i], part.source().sequences().length(part.sequence()));
      }
    }
    KeyValues joined = newKeyValues(Sequences.of(lengths), first.layers(), first.heads());
    computeJoin(sequences, joined);
    if (joined instanceof DeviceKeyValues target) {
      for (int layer = 0; layer < joined.layers(); layer++) {
        if (isFilled(parts, layer)) {
          target.markFilled(layer);
        }
      }
    }
    return joined;
  }

  private static boolean isFilled(List<Part> parts, int layer) {
    return parts.stream()
        .allMatch(part -> part.source() instanceof DeviceKeyValues held && held.isFilled(layer));
  }

  @Override
  public final HostKeyValues download(KeyValues source, int layer, int sequence) {
    lifetimes.checkOpen("download");
    lifetimes.check("download", "source", source);
    checkLayer("download", source, layer);
    Objects.checkIndex(sequence, source.sequences().count());
    return computeDownload(source, layer, sequence);
  }

  @Override
  public final Tensor rows(List<List<Rows>> sequences) {
    lifetimes.checkOpen("rows");
    List<Rows> parts = sequences.stream().flatMap(List::stream).toList();
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("rows: no part in any sequence");
    }
    for (Rows part : parts) {
      Tensor tensor = part.tensor();
      lifetimes.check("rows", "tensor", tensor);
      if (tensor.columns() != parts.getFirst().tensor().columns()) {
        throw mismatch(
            "rows", "first part", shape(parts.getFirst().tensor()), "a part", shape(tensor));
      }
      if (part.from() < 0 || part.count() < 0 || part.from() > tensor.rows() - part.count()) {
        throw new IllegalArgumentException(
            "rows: %d rows from %d of a tensor of %s"
                .formatted(part.count(), part.from(), shape(tensor)));
      }
    }
    int[] lengths = new int[sequences.size()];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = sequences.get(i).stream().mapToInt(Rows::count).sum();
    }
    return computeRows(sequences, Sequences.of(lengths), parts.getFirst().tensor().columns());
  }

  @Override
  public final Tensor add(Tensor x, Tensor y) {
    lifetimes.checkOpen("add");
    lifetimes.check("add", "x", x);
    lifetimes.check("add", "y", y);
    boolean fits = x.sequences().equals(y.sequences()) || repeats(y.sequences(), x.sequences());
    if (x.columns() != y.columns() || !fits) {
      throw new IllegalArgumentException(
          "add: x is %s of %s, y is %s of %s"
              .formatted(shape(x), x.sequences(), shape(y), y.sequences()));
    }
    return computeAdd(x, y);
  }

  /** Whether sequences are one sequence, or one row, again and again. */
  private static boolean repeats(Sequences one, Sequences all) {
    return one.count() == 1
        && (one.rows() == 1 || all.equals(Sequences.uniform(all.count(), one.rows())));
  }

  @Override
  public final Tensor axpy(Tensor x, float a, Tensor y) {
    lifetimes.checkOpen("axpy");
    lifetimes.check("axpy", "x", x);
    checkSame("axpy", "x", x, "y", y);
    return computeAxpy(x, a, y);
  }

  @Override
  public final Tensor guide(Tensor v, Tensor x, Tensor previous, Tensor weights, float t, float g) {
    lifetimes.checkOpen("guide");
    lifetimes.check("guide", "v", v);
    checkSame("guide", "v", v, "x", x);
    checkSame("guide", "v", v, "previous", previous);
    lifetimes.check("guide", "weights", weights);
    if (!weights.sequences().equals(v.sequences()) || weights.columns() != 1) {
      throw mismatch("guide", "v", shape(v), "weights", shape(weights));
    }
    return computeGuide(v, x, previous, weights, t, g);
  }

  // Lifetimes -----------------------------------------------------------------------------------

  @Override
  public final Scope scope() {
    lifetimes.checkOpen("scope");
    return lifetimes.scope();
  }

  @Override
  public final Stage stage(String name, Object... variant) {
    lifetimes.checkOpen("stage");
    return newStage(name, List.of(variant));
  }

  @Override
  public final Usage usage() {
    return lifetimes.usage();
  }

  @Override
  public final void close() {
    if (lifetimes.close()) {
      free();
    }
  }

  /** Makes a new resource this device's, and the innermost scope's unless it is a weight. */
  protected final <R extends Resource> R adopt(R resource) {
    lifetimes.adopt((DeviceResource) resource);
    return resource;
  }

  /** Frees what the device holds besides its resources; called once, after they are freed. */
  protected abstract void free();

  // What a back end implements --------------------------------------------------------------------

  /** A linear layer of these weights below each other; biases likewise, or empty. */
  protected abstract Linear newLinear(
      List<Parameter> weights, List<Parameter> biases, Precision precision);

  /** As {@link #newLinear}, where the layout does not depend on the heads. */
  protected Linear newProjection(
      Heads heads, List<Parameter> weights, List<Parameter> biases, Precision precision) {
    return newLinear(weights, biases, precision);
  }

  /** As {@link #newLinear}, where the layout does not depend on the heads. */
  protected Linear newMerge(
      Heads heads, Parameter weight, List<Parameter> biases, Precision precision) {
    return newLinear(List.of(weight), biases, precision);
  }

  protected abstract GatedLinear newGatedLinear(Parameter gate, Parameter up);

  protected abstract Embedding newEmbedding(Parameter table, float scale);

  protected abstract Norm newLayerNorm(Parameter weight, Parameter bias, float epsilon);

  /** An RMSNorm; {@code weight} may be null. */
  protected abstract Norm newRmsNorm(Parameter weight, int columns, float epsilon);

  protected abstract Tensor newTensor(float[] values, Sequences sequences, int columns);

  /** Pictures in the host's memory, where that is the device's. */
  protected Images newImages(float[] pixels, int count, int side) {
    return adopt(new HostImages(pixels, count, side));
  }

  /** Indices in the host's memory, where that is the device's. */
  protected Indices newIndices(int[] numbers, Sequences sequences) {
    return adopt(new HostIndices(numbers, sequences));
  }

  protected abstract Rotation newRotation(
      int[] positions, Sequences sequences, int headSize, double base);

  /** A mask of lengths, where sequences are not padded. */
  protected Mask newMask(Sequences sequences, Sequences context) {
    return adopt(new UnpaddedMask(sequences, context));
  }

  /** A stage that is not recorded, where there is nothing to gain by it. */
  protected Stage newStage(String name, List<Object> variant) {
    return new UnrecordedStage(scope());
  }

  protected abstract KeyValues newKeyValues(Sequences sequences, int layers, Heads heads);

  protected abstract float[] computeDownload(Tensor tensor);

  protected abstract HostKeyValues computeDownload(KeyValues source, int layer, int sequence);

  protected abstract Tensor computePatches(Images images, int patch);

  protected abstract Tensor computeEmbed(Embedding table, Indices ids);

  protected abstract Tensor computeLayerNorm(Tensor x, Norm norm);

  protected abstract Tensor computeRmsNorm(Tensor x, Norm norm);

  protected abstract Tensor computeAdaptiveRmsNorm(Tensor x, Norm norm, Tensor scale, Tensor shift);

  protected abstract Tensor computeLinear(Tensor x, Linear weights, Epilogue epilogue);

  protected abstract Tensor computeGatedLinear(Tensor x, GatedLinear weights);

  protected abstract Tensor computeRope(Tensor packed, Heads heads, Rotation rotation);

  protected abstract Tensor computeAttention(Tensor packed, Heads heads, Mask mask);

  protected abstract Tensor computeAttention(
      Tensor packed, Heads heads, Mask mask, KeyValues context, int layer);

  protected abstract void computeStore(
      Tensor packed, Heads heads, KeyValues destination, int layer);

  /** Fills {@code joined}, which has the right shape. */
  protected abstract void computeJoin(List<List<Part>> sequences, KeyValues joined);

  /** Rows put together: the rows of {@code sequences} × {@code columns}. */
  protected abstract Tensor computeRows(List<List<Rows>> parts, Sequences sequences, int columns);

  protected abstract Tensor computeAdd(Tensor x, Tensor y);

  protected abstract Tensor computeAxpy(Tensor x, float a, Tensor y);

  protected abstract Tensor computeGuide(
      Tensor v, Tensor x, Tensor previous, Tensor weights, float t, float g);

  // Checks --------------------------------------------------------------------------------------

  private void checkPrecision(String operation, Precision wanted) {
    if (wanted != precision && wanted != Precision.FP32) {
      throw new IllegalArgumentException(
          "%s: %s on a device of %s".formatted(operation, wanted.label(), precision.label()));
    }
  }

  private static void checkStack(
      String operation, List<Parameter> weights, List<Parameter> biases) {
    Parameter first = weights.getFirst();
    for (Parameter weight : weights) {
      checkNotEmpty(operation, weight);
      if (weight.columns() != first.columns()) {
        throw mismatch(operation, first.name(), shape(first), weight.name(), shape(weight));
      }
    }
    if (!biases.isEmpty() && biases.size() != weights.size()) {
      throw new IllegalArgumentException(
          "%s: %d biases for %d weights".formatted(operation, biases.size(), weights.size()));
    }
    for (int i = 0; i < biases.size(); i++) {
      checkVector(operation, biases.get(i), weights.get(i).rows());
    }
  }

  private static void checkNotEmpty(String operation, Parameter weight) {
    if (weight.rows() < 1 || weight.columns() < 1) {
      throw new IllegalArgumentException(
          "%s: %s is %s".formatted(operation, weight.name(), shape(weight)));
    }
  }

  private static void checkRows(String operation, Parameter weight, int rows) {
    if (weight.rows() != rows) {
      throw new IllegalArgumentException(
          "%s: %s is %s, expected %d rows"
              .formatted(operation, weight.name(), shape(weight), rows));
    }
  }

  private static void checkVector(String operation, Parameter vector, int columns) {
    if (vector.rows() != 1 || vector.columns() != columns) {
      throw new IllegalArgumentException(
          "%s: %s is %s, expected %s"
              .formatted(operation, vector.name(), shape(vector), shape(1, columns)));
    }
  }

  private void checkNorm(String operation, Tensor x, Norm norm) {
    lifetimes.checkOpen(operation);
    lifetimes.check(operation, "x", x);
    lifetimes.check(operation, "norm", norm);
    if (x.columns() != norm.columns()) {
      throw mismatch(operation, "x", shape(x), "norm", shape(1, norm.columns()));
    }
  }

  private void checkRow(String operation, String argument, Tensor row, Tensor x) {
    lifetimes.check(operation, argument, row);
    if (row.rows() != 1 || row.columns() != x.columns()) {
      throw mismatch(operation, "x", shape(x), argument, shape(row));
    }
  }

  private static void checkInputs(String operation, Tensor x, int outputs, int inputs) {
    if (x.columns() != inputs) {
      throw mismatch(operation, "x", shape(x), "weights", shape(outputs, inputs));
    }
  }

  private void checkEpilogue(
      String operation,
      String argument,
      Tensor tensor,
      int rows,
      int columns,
      Tensor x,
      int inputs) {
    if (tensor == null) {
      return;
    }
    lifetimes.check(operation, argument, tensor);
    if (tensor.rows() != rows || tensor.columns() != columns) {
      throw new IllegalArgumentException(
          "%s: %s is %s, expected %s for x of %s and weights of %s"
              .formatted(
                  operation,
                  argument,
                  shape(tensor),
                  shape(rows, columns),
                  shape(x),
                  shape(columns, inputs)));
    }
  }

  private static void checkPacked(String operation, Tensor packed, Heads heads) {
    if (packed.columns() != heads.columns()) {
      throw new IllegalArgumentException(
          "%s: packed is %s, expected the %d columns of %s"
              .formatted(operation, shape(packed), heads.columns(), heads));
    }
  }

  private void checkAttention(Tensor packed, Heads heads, Mask mask) {
    lifetimes.checkOpen("attention");
    lifetimes.check("attention", "packed", packed);
    lifetimes.check("attention", "mask", mask);
    checkPacked("attention", packed, heads);
    if (heads.query() == 0) {
      throw new IllegalArgumentException("attention: packed has no queries, " + heads);
    }
    if (!packed.sequences().equals(mask.sequences())) {
      throw mismatch("attention", "packed", packed.sequences(), "mask", mask.sequences());
    }
  }

  private static void checkLayer(String operation, KeyValues keyValues, int layer) {
    if (layer < 0 || layer >= keyValues.layers()) {
      throw new IllegalArgumentException(
          "%s: layer %d of key/values with %d layers"
              .formatted(operation, layer, keyValues.layers()));
    }
  }

  private static void checkKeyValueHeads(String operation, Heads one, Heads other) {
    if (one.keyValue() != other.keyValue() || one.size() != other.size()) {
      throw new IllegalArgumentException(
          "%s: key/value heads %d of size %d and %d of size %d"
              .formatted(operation, one.keyValue(), one.size(), other.keyValue(), other.size()));
    }
  }

  private void checkSame(String operation, String first, Tensor x, String second, Tensor y) {
    lifetimes.check(operation, second, y);
    if (!x.sequences().equals(y.sequences()) || x.columns() != y.columns()) {
      throw mismatch(operation, first, shape(x), second, shape(y));
    }
  }

  private static void checkOneForEachRow(
      String operation, String what, int[] numbers, Sequences sequences) {
    if (numbers.length != sequences.rows()) {
      throw new IllegalArgumentException(
          "%s: %d %s for %d rows".formatted(operation, numbers.length, what, sequences.rows()));
    }
  }

  private static IllegalArgumentException mismatch(
      String operation, String first, Object firstShape, String second, Object secondShape) {
    return new IllegalArgumentException(
        "%s: %s is %s, %s is %s".formatted(operation, first, firstShape, second, secondShape));
  }

  private static String shape(Tensor tensor) {
    return shape(tensor.rows(), tensor.columns());
  }

  private static String shape(Parameter parameter) {
    return shape(parameter.rows(), parameter.columns());
  }

  private static String shape(int rows, int columns) {
    return rows + " × " + columns;
  }
}
