package dev.pi0stream.device.tt;

import dev.pi0stream.device.AbstractDevice;
import dev.pi0stream.device.Activation;
import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.Embedding;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Images;
import dev.pi0stream.device.Indices;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Resource;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Stage;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.tt.TtTensor.Packed;
import dev.pi0stream.device.tt.TtTensor.Plain;
import dev.pi0stream.device.tt.TtTensor.Split;
import dev.pi0stream.device.tt.ttnn.Cluster;
import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.Fused;
import dev.pi0stream.device.tt.ttnn.Layout;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.MemoryView;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.Traffic;
import dev.pi0stream.device.tt.ttnn.Ttnn;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * One chip of a Tenstorrent card, by TTNN. Every operation runs on it: nothing falls back to the
 * host.
 *
 * <p>Matrix weights are bfloat8_b or bfloat16, those of layers that ask for fp32 bfloat16; what
 * flows between operations is bfloat16; sums are fp32.
 */
public final class TtDevice extends AbstractDevice {
  /** Memory of each chip that recorded operations take. */
  private static final long TRACE_BYTES = 128L << 20;

  /** Up to so many rows what is made in a stage stays in the cores' memory, */
  private static final int SMALL_ROWS = 256;

  /** and up to so many for each core: the 56 of an N300 have no room for 256 beside a program. */
  private static final int SMALL_ROWS_PER_CORE = 4;

  private final MeshDevice chip;
  private final Operations operations;
  private final Forms forms;
  private final Weights weights;
  private final Attention attention;
  private final RowParts rowParts;
  private final Elementwise elementwise;
  private final Uploads uploads;
  private final Stages stages;
  private final Map<Integer, TtnnTensor> zeroColumns = new HashMap<>();

  private TtDevice(MeshDevice chip, Precision precision) {
    super("tt", precision);
    this.chip = chip;
    this.operations = new Operations(chip);
    this.forms = new Forms(chip, operations);
    this.weights = new Weights(chip);
    this.attention = new Attention(operations, forms);
    this.rowParts = new RowParts(operations, forms);
    this.elementwise = new Elementwise(operations, forms);
    this.stages = new Stages(chip, operations, forms, this::adopt);
    this.uploads = new Uploads(chip);
  }

  /**
   * Opens a chip.
   *
   * @param index of the chip, from 0
   * @param precision bfp8 or bf16; fp32 only where the module does not round
   * @throws IllegalArgumentException for another precision
   * @throws DeviceException where there is no such chip, or it is in use
   */
  public static TtDevice open(Ttnn ttnn, int index, Precision precision) {
    boolean fits =
        precision == Precision.BFP8
            || precision == Precision.BF16
            || (precision == Precision.FP32 && ttnn.isUnrounded());
    if (!fits) {
      throw new IllegalArgumentException(
          "device 'tt' computes with weights of %s or %s, not of %s"
              .formatted(Precision.BFP8.label(), Precision.BF16.label(), precision.label()));
    }
    MeshDevice chip = Cluster.take(ttnn, index, TRACE_BYTES);
    try {
      return new TtDevice(chip, precision);
    } catch (RuntimeException e) {
      Cluster.giveBack(chip);
      throw e;
    }
  }

  /** The chip, to look at: its memory, what it was asked to do. */
  public MeshDevice chip() {
    return chip;
  }

  /**
   * What is left beside weights, inputs' places, results and what a stage took at most while it
   * computed; room that nobody uses counts as left.
   */
  @Override
  public OptionalLong spareBytes() {
    MemoryView dram = chip.memory(Memory.DRAM);
    long taken = dram.allocatedBytes() - stages.idleBytes() + stages.activationBytes();
    return OptionalLong.of(Math.max(0, dram.totalBytes() - taken));
  }

  @Override
  public Measurements measurements() {
    MemoryView dram = chip.memory(Memory.DRAM);
    Traffic traffic = chip.traffic();
    return new Measurements(
        dram.totalBytes(),
        dram.allocatedBytes(),
        traffic.uploadedBytes(),
        traffic.downloadedBytes(),
        chip.programs(),
        stages.traces(),
        traffic.replays(),
        traffic.calls());
  }

  @Override
  public void synchronize() {
    chip.synchronize();
  }

  /** How many stages it has seen, by shape, and how many of them are traces now. */
  public StageCount stageCount() {
    return new StageCount(stages.size(), stages.traces());
  }

  /**
   * Stages of a device.
   *
   * @param seen how many different ones are kept
   * @param traces how many of them are replayed
   */
  public record StageCount(int seen, int traces) {}

  // Weights ---------------------------------------------------------------------------------------

  @Override
  protected Linear newLinear(
      List<Parameter> parameters, List<Parameter> biases, Precision precision) {
    return adopt(weights.linear(parameters, biases, precision));
  }

  @Override
  protected Linear newProjection(
      Heads heads, List<Parameter> parameters, List<Parameter> biases, Precision precision) {
    return adopt(weights.projection(heads, parameters, biases, precision));
  }

  @Override
  protected Linear newMerge(
      Heads heads, Parameter weight, List<Parameter> biases, Precision precision) {
    return adopt(weights.merge(heads, weight, biases, precision));
  }

  @Override
  protected GatedLinear newGatedLinear(Parameter gate, Parameter up) {
    return adopt(weights.gatedLinear(gate, up, precision()));
  }

  @Override
  protected Embedding newEmbedding(Parameter table, float scale) {
    return adopt(weights.embedding(table, scale));
  }

  @Override
  protected Norm newLayerNorm(Parameter weight, Parameter bias, float epsilon) {
    return adopt(weights.layerNorm(weight, bias, epsilon));
  }

  @Override
  protected Norm newRmsNorm(Parameter weight, int columns, float epsilon) {
    return adopt(weights.rmsNorm(weight, columns, epsilon));
  }

  // Host and device -------------------------------------------------------------------------------

  @Override
  protected Tensor newTensor(float[] values, Sequences sequences, int columns) {
    Blocks blocks = Blocks.of(sequences);
    HostInput input =
        HostInput.of(
            blocks.matrix(columns),
            DataType.FLOAT32,
            Layout.TILE,
            memory -> {
              for (int i = 0; i < sequences.count(); i++) {
                int from = sequences.start(i) * columns;
                long to = (long) i * blocks.rows() * columns;
                HostInput.put(values, from, memory, to, sequences.length(i) * columns);
              }
            });
    TtTensor tensor = adopt(new TtTensor(sequences, columns, input.place().deviceBytes()));
    inputs().place(input, tensor::bind);
    note(sequences);
    return tensor;
  }

  @Override
  protected Images newImages(float[] pixels, int count, int side) {
    HostInput input =
        HostInput.of(
            Shape.of(Math.max(1, count), 3, side, side),
            DataType.FLOAT32,
            Layout.ROW_MAJOR,
            memory -> HostInput.put(pixels, 0, memory, 0, pixels.length));
    TtImages images = adopt(new TtImages(count, side, input.place().deviceBytes()));
    inputs().place(input, images::bind);
    return images;
  }

  @Override
  protected Indices newIndices(int[] numbers, Sequences sequences) {
    Blocks blocks = Blocks.of(sequences);
    HostInput input =
        HostInput.of(
            Shape.of(blocks.count(), blocks.rows()),
            DataType.UINT32,
            Layout.ROW_MAJOR,
            memory -> {
              for (int i = 0; i < sequences.count(); i++) {
                for (int row = 0; row < sequences.length(i); row++) {
                  memory.setAtIndex(
                      ValueLayout.JAVA_INT,
                      (long) i * blocks.rows() + row,
                      numbers[sequences.start(i) + row]);
                }
              }
            });
    TtIndices indices = adopt(new TtIndices(numbers, sequences, input.place().deviceBytes()));
    inputs().place(input, indices::bind);
    note(sequences);
    return indices;
  }

  @Override
  protected Rotation newRotation(int[] positions, Sequences sequences, int headSize, double base) {
    note(sequences);
    return adopt(TtRotation.of(positions, sequences, headSize, base, inputs()));
  }

  @Override
  protected Mask newMask(Sequences sequences, Sequences context) {
    int rows = Blocks.of(sequences).rows();
    TtMask mask = adopt(new TtMask(sequences, context, zeroColumn(rows).share()));
    if (stages.open() != null) {
      stages.open().announceHidden(sequences, rows);
    }
    note(sequences);
    note(context);
    return mask;
  }

  private TtnnTensor zeroColumn(int rows) {
    TtnnTensor known = zeroColumns.get(rows);
    if (known == null) {
      known = chip.zeros(Shape.of(1, 1, rows, 1), DataType.BFLOAT16, Layout.TILE);
      zeroColumns.put(rows, known);
    }
    return known;
  }

  private void note(Sequences sequences) {
    if (stages.open() != null) {
      stages.open().note(sequences);
    }
  }

  private Inputs inputs() {
    return stages.open() == null ? uploads : stages.open();
  }

  @Override
  protected float[] computeDownload(Tensor tensor) {
    return new Downloads(chip).tensor((TtTensor) tensor);
  }

  @Override
  protected HostKeyValues computeDownload(KeyValues source, int layer, int sequence) {
    return new Downloads(chip).keyValues((TtKeyValues) source, layer, sequence, operations);
  }

  // Operations ------------------------------------------------------------------------------------

  @Override
  protected Tensor computePatches(Images images, int patch) {
    TtImages pictures = (TtImages) images;
    int across = pictures.side() / patch;
    int count = across * across;
    int columns = 3 * patch * patch;
    Sequences sequences = Sequences.uniform(pictures.count(), count);
    try (Temporaries made = new Temporaries()) {
      TtnnTensor pixels = pictures.pixels();
      int batch = pixels.shape().get(0);
      TtnnTensor rows =
          made.add(
              operations.reshape(
                  across == 1 ? pixels : inOrder(pixels, across, patch, made),
                  Shape.of(batch, 1, count, columns)));
      Blocks blocks = new Blocks(batch, Shape.padded(count));
      if (count < blocks.rows()) {
        rows = made.add(operations.padRows(rows, blocks.rows(), Memory.DRAM));
      }
      TtnnTensor tiles = made.add(operations.toLayout(rows, Layout.TILE));
      return adopt(
          new TtTensor(
              sequences, columns, new Plain(operations.view(tiles, blocks.matrix(columns)))));
    }
  }

  /** Patch after patch: [pictures, across, across, 3, patch, patch]. */
  private TtnnTensor inOrder(TtnnTensor pixels, int across, int patch, Temporaries made) {
    Shape cut = Shape.of(pixels.shape().get(0), 3, across, patch, across, patch);
    TtnnTensor apart = made.add(operations.reshape(pixels, cut));
    return made.add(operations.permute(apart, 0, 2, 4, 1, 3, 5));
  }

  @Override
  protected Tensor computeEmbed(Embedding table, Indices ids) {
    TtEmbedding embedding = (TtEmbedding) table;
    TtIndices indices = (TtIndices) ids;
    Blocks blocks = Blocks.of(ids.sequences());
    try (Temporaries made = new Temporaries()) {
      TtnnTensor found = made.add(operations.embedding(indices.numbers(), embedding.table()));
      TtnnTensor rows = made.add(operations.view(found, blocks.matrix(embedding.columns())));
      TtnnTensor scaled =
          embedding.scale() == 1
              ? rows
              : made.add(operations.multiply(rows, embedding.scale(), memory(blocks)));
      return adopt(
          new TtTensor(ids.sequences(), embedding.columns(), new Plain(made.keep(scaled))));
    }
  }

  @Override
  protected Tensor computeLayerNorm(Tensor x, Norm norm) {
    TtNorm weight = (TtNorm) norm;
    try (Temporaries made = new Temporaries()) {
      TtTensor rows = (TtTensor) x;
      return matrix(
          rows,
          x.columns(),
          operations.layerNorm(
              forms.plain(rows, made),
              weight.epsilon(),
              weight.factor(),
              weight.bias(),
              memory(rows.blocks())));
    }
  }

  @Override
  protected Tensor computeRmsNorm(Tensor x, Norm norm) {
    TtNorm weight = (TtNorm) norm;
    return rmsNorm((TtTensor) x, weight, weight.factor(), null);
  }

  @Override
  protected Tensor computeAdaptiveRmsNorm(Tensor x, Norm norm, Tensor scale, Tensor shift) {
    TtNorm weight = (TtNorm) norm;
    TtTensor by = (TtTensor) scale;
    TtnnTensor factor = elementwise.factor(by, weight.factor());
    return rmsNorm((TtTensor) x, weight, factor, elementwise.row((TtTensor) shift));
  }

  private Tensor rmsNorm(TtTensor x, TtNorm norm, TtnnTensor factor, TtnnTensor bias) {
    try (Temporaries made = new Temporaries()) {
      return matrix(
          x,
          x.columns(),
          operations.rmsNorm(
              forms.plain(x, made), norm.epsilon(), factor, bias, memory(x.blocks())));
    }
  }

  @Override
  protected Tensor computeLinear(Tensor x, Linear linear, Epilogue epilogue) {
    TtTensor rows = (TtTensor) x;
    TtLinear layer = (TtLinear) linear;
    Memory memory = memory(rows.blocks());
    try (Temporaries made = new Temporaries()) {
      TtnnTensor input =
          layer.inputHeads() == null
              ? forms.plain(rows, made)
              : forms.queries(rows, layer.inputHeads(), made);
      TtnnTensor product =
          made.add(
              operations.linear(
                  input,
                  layer.matrix().weights(),
                  elementwise.bias(layer, (TtTensor) epilogue.shift()),
                  fused(epilogue.activation()),
                  layer.matrix().fidelity(),
                  DataType.BFLOAT16,
                  memory));
      TtnnTensor result =
          elementwise.added(
              product,
              (TtTensor) epilogue.residual(),
              (TtTensor) epilogue.gate(),
              layer.outputHeads(),
              memory,
              made);
      if (layer.outputHeads() == null) {
        return matrix(rows, layer.outputs(), made.keep(result));
      }
      return adopt(
          new TtTensor(
              rows.sequences(),
              layer.outputs(),
              new Packed(made.keep(result), layer.outputHeads(), layer.queryScale())));
    }
  }

  private static Fused fused(Activation activation) {
    return switch (activation) {
      case NONE -> Fused.NONE;
      case GELU_TANH -> Fused.GELU_TANH;
      case SILU -> Fused.SILU;
    };
  }

  @Override
  protected Tensor computeGatedLinear(Tensor x, GatedLinear layer) {
    TtTensor rows = (TtTensor) x;
    TtGatedLinear gated = (TtGatedLinear) layer;
    Memory memory = memory(rows.blocks());
    try (Temporaries made = new Temporaries()) {
      TtnnTensor input = forms.cast(forms.plain(rows, made), DataType.BFLOAT16, made);
      List<TtnnTensor> both = gateAndUp(input, gated, memory, made);
      TtnnTensor result = made.add(operations.multiplyGelu(both.get(0), both.get(1), memory));
      if (result.shape().get(-1) > gated.outputs()) {
        Shape exact = result.shape().with(-1, gated.outputs());
        result = made.add(operations.slice(result, exact, new int[4], memory));
      }
      return matrix(rows, gated.outputs(), made.keep(result));
    }
  }

  private List<TtnnTensor> gateAndUp(
      TtnnTensor x, TtGatedLinear gated, Memory memory, Temporaries made) {
    if (x.shape().get(-1) % Shape.TILE == 0) {
      return made.addAll(
          operations.minimalMatmulSplit(
              x, gated.weights(), gated.fidelity(), DataType.BFLOAT16, memory));
    }
    // That one multiplies what lies behind the last column too, where a tile is not full.
    TtnnTensor both =
        made.add(
            operations.linear(
                x, gated.weights(), null, Fused.NONE, gated.fidelity(), DataType.BFLOAT16, memory));
    int half = both.shape().get(-1) / 2;
    Shape one = both.shape().with(-1, half);
    return List.of(
        made.add(operations.slice(both, one, new int[4], memory)),
        made.add(operations.slice(both, one, new int[] {0, 0, 0, half}, memory)));
  }

  @Override
  protected Tensor computeRope(Tensor packed, Heads heads, Rotation rotation) {
    TtTensor rows = (TtTensor) packed;
    Split split = attention.rope(rows, heads, (TtRotation) rotation, memory(rows.blocks()));
    return adopt(new TtTensor(rows.sequences(), rows.columns(), split));
  }

  @Override
  protected Tensor computeAttention(Tensor packed, Heads heads, Mask mask) {
    return attend((TtTensor) packed, heads, (TtMask) mask, null, 0);
  }

  @Override
  protected Tensor computeAttention(
      Tensor packed, Heads heads, Mask mask, KeyValues context, int layer) {
    return attend((TtTensor) packed, heads, (TtMask) mask, (TtKeyValues) context, layer);
  }

  private Tensor attend(TtTensor rows, Heads heads, TtMask mask, TtKeyValues context, int layer) {
    Packed result =
        attention.attend(rows, heads, mask, context, layer, inputs(), memory(rows.blocks()));
    return adopt(new TtTensor(rows.sequences(), heads.queryColumns(), result));
  }

  @Override
  protected KeyValues newKeyValues(Sequences sequences, int layers, Heads heads) {
    return adopt(new TtKeyValues(sequences, layers, heads));
  }

  @Override
  protected void computeStore(Tensor packed, Heads heads, KeyValues destination, int layer) {
    TtKeyValues target = (TtKeyValues) destination;
    TtTensor rows = (TtTensor) packed;
    try (Temporaries made = new Temporaries()) {
      Split split = forms.split(rows, heads, memory(rows.blocks()), made);
      if (target.segments().isEmpty()) {
        target.append(
            new Segment(
                target.sequences(), rows.blocks().rows(), target.layers(), heads.keyValue()));
      }
      Segment segment = target.segments().getFirst();
      segment.put(layer, made.keep(split.keys()), made.keep(split.values()));
    }
  }

  @Override
  protected void computeJoin(List<List<Part>> sequences, KeyValues joined) {
    new Join(operations, joined.heads().keyValue(), stages::settle)
        .fill(sequences, (TtKeyValues) joined);
  }

  @Override
  protected Tensor computeRows(List<List<Rows>> parts, Sequences sequences, int columns) {
    if (stages.open() != null && RowParts.dependsOnLengths(parts)) {
      stages.open().noteThatLengthsMatter();
    }
    TtnnTensor together = stages.settle(rowParts.together(parts, sequences, columns));
    return adopt(new TtTensor(sequences, columns, new Plain(together)));
  }

  @Override
  protected Tensor computeAdd(Tensor x, Tensor y) {
    TtTensor rows = (TtTensor) x;
    return matrix(rows, x.columns(), elementwise.add(rows, (TtTensor) y, memory(rows.blocks())));
  }

  @Override
  protected Tensor computeAxpy(Tensor x, float a, Tensor y) {
    TtTensor rows = (TtTensor) x;
    try (Temporaries made = new Temporaries()) {
      TtnnTensor result =
          operations.addScaled(
              forms.plain(rows, made), forms.plain((TtTensor) y, made), a, memory(rows.blocks()));
      return matrix(rows, x.columns(), result);
    }
  }

  @Override
  protected Tensor computeGuide(
      Tensor v, Tensor x, Tensor previous, Tensor hold, float t, float g) {
    TtTensor rows = (TtTensor) v;
    Memory memory = memory(rows.blocks());
    try (Temporaries made = new Temporaries()) {
      TtnnTensor velocity = forms.plain(rows, made);
      TtnnTensor clean =
          made.add(operations.addScaled(forms.plain((TtTensor) x, made), velocity, -t, memory));
      TtnnTensor error =
          made.add(operations.subtract(forms.plain((TtTensor) previous, made), clean, memory));
      TtnnTensor held =
          made.add(operations.multiply(error, forms.plain((TtTensor) hold, made), memory));
      return matrix(rows, v.columns(), operations.addScaled(velocity, held, -g, memory));
    }
  }

  private Tensor matrix(TtTensor rows, int columns, TtnnTensor matrix) {
    return adopt(new TtTensor(rows.sequences(), columns, new Plain(matrix)));
  }

  // Stages ----------------------------------------------------------------------------------------

  @Override
  protected Stage newStage(String name, List<Object> variant) {
    TtStage stage = new TtStage(this, stages, name, variant);
    stages.opened(stage);
    return stage;
  }

  /** What is made between the operations of a stage on few rows stays near the cores. */
  private Memory memory(Blocks blocks) {
    int cores = chip.grid().x() * chip.grid().y();
    boolean small = blocks.total() <= Math.min(SMALL_ROWS, SMALL_ROWS_PER_CORE * cores);
    boolean near = stages.open() != null && small;
    return near ? Memory.L1 : Memory.DRAM;
  }

  /** Makes a new resource this device's. */
  <R extends Resource> R own(R resource) {
    return adopt(resource);
  }

  Uploads uploads() {
    return uploads;
  }

  Forms forms() {
    return forms;
  }

  Operations operations() {
    return operations;
  }

  @Override
  protected void free() {
    try {
      stages.close();
      zeroColumns.values().forEach(TtnnTensor::close);
    } finally {
      Cluster.giveBack(chip);
    }
  }
}
