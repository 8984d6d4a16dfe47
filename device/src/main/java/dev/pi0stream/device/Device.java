package dev.pi0stream.device;

import java.util.List;
import java.util.OptionalLong;

/**
 * A device with its memory and the operations of a vision-language-action policy. Everything that
 * an operation returns is a new tensor on the device, rows packed as the arguments' rows are;
 * arguments are never changed unless the method says so.
 *
 * <p>A device, and all that it makes, is used by one thread at a time. Wrong shapes are an {@link
 * IllegalArgumentException} that names the operation and both shapes; use after close is an {@link
 * IllegalStateException}; a fault of the device is a {@link DeviceException}.
 *
 * <p>The definition of every operation is the {@code reference} back end; one contract test runs
 * every back end against it.
 */
public interface Device extends AutoCloseable {
  /** The name of the back end: {@code reference}, {@code cpu}, {@code tt}. */
  String name();

  /** How matrix weights are kept and multiplied. */
  Precision precision();

  // Weights -----------------------------------------------------------------------------------

  /**
   * A linear layer in the device's {@link #precision()}.
   *
   * @param weight outputs × inputs
   * @param bias 1 × outputs, or null
   */
  default Linear linear(Parameter weight, Parameter bias) {
    return linear(weight, bias, precision());
  }

  /**
   * A linear layer in a precision of its own: one on whose exactness much depends.
   *
   * @param weight outputs × inputs
   * @param bias 1 × outputs, or null
   * @param precision the device's own, or fp32: the finest that the device has
   */
  Linear linear(Parameter weight, Parameter bias, Precision precision);

  /** A {@linkplain #projection fused projection} in the device's {@link #precision()}. */
  default Linear projection(
      Heads heads, Parameter query, Parameter key, Parameter value, List<Parameter> biases) {
    return projection(heads, query, key, value, biases, precision());
  }

  /**
   * A fused projection to queries, keys and values, packed as {@link Heads} says.
   *
   * @param query {@code heads.queryColumns()} × inputs, or null where {@code heads.query()} is 0
   * @param key {@code heads.keyValueColumns()} × inputs
   * @param value like {@code key}
   * @param biases in the same order, without the query's where that is null; or an empty list
   * @param precision the device's own, or fp32
   */
  Linear projection(
      Heads heads,
      Parameter query,
      Parameter key,
      Parameter value,
      List<Parameter> biases,
      Precision precision);

  /**
   * The linear layer behind an attention, whose inputs are packed heads.
   *
   * @param weight outputs × {@code heads.queryColumns()}
   * @param bias 1 × outputs, or null
   * @param precision the device's own, or fp32
   */
  Linear merge(Heads heads, Parameter weight, Parameter bias, Precision precision);

  /** A {@linkplain #merge merging layer} in the device's {@link #precision()}. */
  default Linear merge(Heads heads, Parameter weight, Parameter bias) {
    return merge(heads, weight, bias, precision());
  }

  /**
   * The gate and up projections of a GeGLU.
   *
   * @param gate outputs × inputs
   * @param up outputs × inputs
   */
  GatedLinear gatedLinear(Parameter gate, Parameter up);

  /**
   * A look-up table; what is looked up is multiplied by {@code scale} in fp32.
   *
   * @param table entries × columns
   */
  Embedding embedding(Parameter table, float scale);

  /** A LayerNorm's weights, both 1 × columns. */
  Norm layerNorm(Parameter weight, Parameter bias, float epsilon);

  /**
   * An RMSNorm's weight, 1 × columns, as Gemma stores it: the factor is {@code 1 + weight}. Null
   * for the factor 1, as adaptive norms have it.
   *
   * @param columns the columns of the rows that it normalises
   */
  Norm rmsNorm(Parameter weight, int columns, float epsilon);

  // Host and device -----------------------------------------------------------------------------

  /** Copies fp32 numbers, row after row, to the device, which keeps them in fp32. */
  Tensor upload(float[] values, Sequences sequences, int columns);

  /** Copies the rows of one sequence to the device. */
  default Tensor upload(float[] values, int rows, int columns) {
    if (rows < 0) {
      throw new IllegalArgumentException("upload: " + rows + " rows");
    }
    return upload(values, Sequences.of(rows), columns);
  }

  /** Copies a tensor's numbers to the host as fp32, row after row. */
  float[] download(Tensor tensor);

  /**
   * Copies square pictures to the device.
   *
   * @param pixels for each picture channel, row, column
   */
  Images images(float[] pixels, int count, int side);

  /** Copies numbers of a table's entries to the device, one for each row. */
  Indices indices(int[] numbers, Sequences sequences);

  /** Cosines and sines for rows at these positions. */
  Rotation rotation(int[] positions, Sequences sequences, int headSize, double base);

  /** Each row attends all rows of its sequence. */
  default Mask mask(Sequences sequences) {
    return mask(sequences, Sequences.uniform(sequences.count(), 0));
  }

  /**
   * Each row attends all rows of its sequence and of its sequence's context.
   *
   * @param context as many sequences
   */
  Mask mask(Sequences sequences, Sequences context);

  // Operations ----------------------------------------------------------------------------------

  /**
   * Cuts square images into square patches, so that a convolution whose stride is its kernel is a
   * linear layer.
   *
   * @param images whose side is a multiple of {@code patch}
   * @return for each image a sequence, (side/patch)² × (3 · patch²): patches row by row, each
   *     channel, row, column
   */
  Tensor patches(Images images, int patch);

  /** Looks up entries, scaled: as many rows as there are indices. */
  Tensor embed(Embedding table, Indices ids);

  /** {@code (x − mean) / √(variance + ε) · weight + bias} for each row. */
  Tensor layerNorm(Tensor x, Norm norm);

  /** {@code x / √(mean(x²) + ε) · (1 + weight)} for each row. */
  Tensor rmsNorm(Tensor x, Norm norm);

  /**
   * {@code rmsNorm(x) ⊙ (1 + scale) + shift} for each row; π0.5's adaptive norm.
   *
   * @param scale 1 × columns
   * @param shift 1 × columns
   */
  Tensor adaptiveRmsNorm(Tensor x, Norm norm, Tensor scale, Tensor shift);

  /** {@code x·Wᵀ + b}, then the epilogue. */
  Tensor linear(Tensor x, Linear weights, Epilogue epilogue);

  /** {@code x·Wᵀ + b}. */
  default Tensor linear(Tensor x, Linear weights) {
    return linear(x, weights, Epilogue.NONE);
  }

  /** {@code gelu_tanh(x·Gᵀ) ⊙ (x·Uᵀ)}. */
  Tensor gatedLinear(Tensor x, GatedLinear weights);

  /**
   * Rotates the queries and keys of a packed projection by their rows' positions, half rotation:
   * {@code [x₁·cos − x₂·sin, x₂·cos + x₁·sin]} for the halves of each head. Values pass unchanged.
   *
   * @param packed rows × {@code heads.columns()}
   * @return a new tensor of the same shape
   */
  Tensor rope(Tensor packed, Heads heads, Rotation rotation);

  /**
   * Full attention of each sequence over itself: {@code softmax(q·kᵀ/√size)·v}.
   *
   * @param packed rows × {@code heads.columns()}, keys and queries rotated where that is wanted
   * @param mask of the same sequences, without a context
   * @return rows × {@code heads.queryColumns()}
   */
  Tensor attention(Tensor packed, Heads heads, Mask mask);

  /**
   * Full attention of each sequence over a layer of its context and itself.
   *
   * @param packed rows × {@code heads.columns()}
   * @param mask of the same sequences and context
   * @return rows × {@code heads.queryColumns()}
   */
  Tensor attention(Tensor packed, Heads heads, Mask mask, KeyValues context, int layer);

  /** Room for the keys and values of these sequences; filled by {@link #store}. */
  KeyValues keyValues(Sequences sequences, int layers, Heads heads);

  /** Copies the keys and values of a packed projection into one layer of {@code destination}. */
  void store(Tensor packed, Heads heads, KeyValues destination, int layer);

  /**
   * Keys and values put together anew: sequence {@code i} of the result is the parts of {@code
   * sequences.get(i)}, one behind the other. Copies, so that the sources may be freed.
   */
  KeyValues join(List<List<Part>> sequences);

  /** One sequence of some keys and values, for {@link #join}. */
  record Part(KeyValues source, int sequence) {}

  /** Keys and values of one layer and sequence on the host, for tests: rows × columns each. */
  HostKeyValues download(KeyValues source, int layer, int sequence);

  /** What {@link #download(KeyValues, int, int)} gives; row after row, head after head. */
  record HostKeyValues(int rows, float[] keys, float[] values) {}

  /** Some rows of a tensor, for {@link #rows}. */
  record Rows(Tensor tensor, int from, int count) {
    /** All rows. */
    public static Rows of(Tensor tensor) {
      return new Rows(tensor, 0, tensor.rows());
    }
  }

  /**
   * Rows of one or several tensors of equal width put together: slice, gather, concat.
   *
   * @param sequences the parts of each sequence, one behind the other
   */
  Tensor rows(List<List<Rows>> sequences);

  /**
   * {@code x + y}.
   *
   * @param y of the same shape; or one sequence, which is added to each sequence of {@code x}; or
   *     one row, which is added to each row
   */
  Tensor add(Tensor x, Tensor y);

  /** {@code x + a·y} in fp32: a step of Euler's method. */
  Tensor axpy(Tensor x, float a, Tensor y);

  /**
   * The velocity of real-time chunking: {@code v − g · w ⊙ (previous − (x − t·v))}.
   *
   * @param v rows × columns, like {@code x} and {@code previous}
   * @param weights rows × 1: how strongly each row is held to {@code previous}
   * @param t the time of this step
   * @param g the guidance weight of this step
   */
  Tensor guide(Tensor v, Tensor x, Tensor previous, Tensor weights, float t, float g);

  // Lifetimes -----------------------------------------------------------------------------------

  /**
   * Opens a scope: tensors, rotations and key/values made until it closes are freed with it, but
   * for those that were {@linkplain Scope#keep kept}. Scopes nest; weights do not belong to them.
   */
  Scope scope();

  /**
   * Opens a stage outside of any other: a part of a computation that is done again and again.
   *
   * @param name of the stage, for reports too
   * @param variant all that changes which operations it does, besides its inputs' shapes
   */
  Stage stage(String name, Object... variant);

  /**
   * Waits until all that was asked for is computed: for who takes times. Other operations may
   * return before.
   */
  default void synchronize() {}

  /** What the resources made by this device take at the moment. */
  Usage usage();

  /**
   * What is left of the device's own memory, for tensors that last: beside all that is there, and
   * what stages took so far while they computed. Empty where the memory is the host's.
   */
  default OptionalLong spareBytes() {
    return OptionalLong.empty();
  }

  /** What the device did since it was opened, to be watched. */
  default Measurements measurements() {
    return Measurements.NONE;
  }

  /**
   * What a device tells to be watched; 0 where it has nothing of the kind.
   *
   * @param memoryBytes of its own memory
   * @param takenBytes of memory that it has taken, used or kept for the next time
   * @param uploadedBytes copied to it
   * @param downloadedBytes copied to the host
   * @param programs that were compiled and are kept
   * @param traces that are kept
   * @param replays of traces
   * @param calls of its library
   */
  record Measurements(
      long memoryBytes,
      long takenBytes,
      long uploadedBytes,
      long downloadedBytes,
      long programs,
      long traces,
      long replays,
      long calls) {
    /** Of a device that has nothing to tell. */
    public static final Measurements NONE = new Measurements(0, 0, 0, 0, 0, 0, 0, 0);
  }

  /**
   * What a device holds.
   *
   * @param weights bytes of weights
   * @param values bytes of tensors, rotations and key/values
   * @param resources the number of open resources of all kinds
   */
  record Usage(long weights, long values, int resources) {}

  /** Closes the device and frees all that it made. */
  @Override
  void close();
}
