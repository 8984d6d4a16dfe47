package dev.pi0stream.job.residency;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Precision;
import dev.pi0stream.job.bench.Stage;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * The operations of TTNN that a chunk is on a chip, with their arithmetic and the bytes of DRAM
 * that they touch: what the back end {@code tt} issues for a policy whose pictures are whole tiles
 * of rows, without running it. Arithmetic is that of products and attention over padded rows; what
 * few rows make stays in the cores' memory and touches no DRAM.
 */
public final class OperationStream {
  private static final int TILE = 32;

  /** Up to so many rows what is made in a stage stays in the cores' memory. */
  private static final int SMALL_ROWS = 256;

  private static final int BF16_BYTES = 2;

  /** 1024 numbers of a tile and an exponent for each sixteen of them. */
  private static final double BFP8_BYTES = 1088.0 / 1024;

  private final List<DeviceOperation> operations = new ArrayList<>();
  private final Precision precision;
  private final int robots;
  private Stage stage;

  /**
   * Some operations that are alike.
   *
   * @param name in TTNN
   * @param flops multiplications and additions of each
   * @param exact with HiFi4; otherwise with HiFi2
   * @param lastingBytes of weights and prefixes that each reads from DRAM
   * @param passingBytes of what flows between operations that each reads from DRAM and writes there
   */
  public record DeviceOperation(
      Stage stage,
      String name,
      int count,
      double flops,
      boolean exact,
      double lastingBytes,
      double passingBytes) {
    /** Bytes of DRAM that each reads and writes. */
    public double bytes() {
      return lastingBytes + passingBytes;
    }
  }

  /** How a layer is multiplied. */
  private enum Layer {
    /** As the device's precision says. */
    MODEL,
    /** The one behind an attention: its weights likewise, multiplied exactly. */
    MERGE,
    /** What touches pixels, states, actions and time. */
    EXACT
  }

  private OperationStream(Precision precision, int robots) {
    this.precision = precision;
    this.robots = robots;
  }

  /** The same operations with all that flows between them in the cores' memory. */
  public OperationStream near() {
    return map(
        one ->
            new DeviceOperation(
                one.stage, one.name, one.count, one.flops, one.exact, one.lastingBytes, 0));
  }

  /** The same operations, all with HiFi2. */
  public OperationStream coarse() {
    return map(
        one ->
            new DeviceOperation(
                one.stage,
                one.name,
                one.count,
                one.flops,
                false,
                one.lastingBytes,
                one.passingBytes));
  }

  private OperationStream map(UnaryOperator<DeviceOperation> change) {
    OperationStream changed = new OperationStream(precision, robots);
    operations.forEach(one -> changed.operations.add(change.apply(one)));
    return changed;
  }

  /**
   * A chunk of some robots that are alike.
   *
   * @param precision bfp8 or bf16
   * @throws IllegalArgumentException where pictures are not whole tiles of rows
   */
  public static OperationStream of(
      PolicyConfig config,
      Dimensions dimensions,
      Precision precision,
      int cameras,
      int tokens,
      int robots,
      int steps) {
    int across = config.imageResolution() / dimensions.vision().patch();
    int rows = across * across;
    if (rows % TILE != 0) {
      throw new IllegalArgumentException(
          "a picture is %d rows for this policy: expected a multiple of %d for a prediction"
              .formatted(rows, TILE));
    }
    OperationStream stream = new OperationStream(precision, robots);
    stream.vision(dimensions, cameras * robots, rows);
    int prefix = cameras * rows + tokens;
    stream.prefix(dimensions.language(), cameras, prefix, tokens);
    stream.denoise(config, dimensions.expert(), prefix, steps);
    return stream;
  }

  /** All of them, stage by stage. */
  public List<DeviceOperation> operations() {
    return List.copyOf(operations);
  }

  /** How many operations of each name a stage has. */
  public Map<String, Long> counts(Stage wanted) {
    return operations.stream()
        .filter(operation -> operation.stage == wanted)
        .collect(
            Collectors.groupingBy(
                DeviceOperation::name, TreeMap::new, Collectors.summingLong(one -> one.count)));
  }

  // Stages ----------------------------------------------------------------------------------------

  private void vision(Dimensions dimensions, int images, int length) {
    stage = Stage.VISION;
    Dimensions.Vision tower = dimensions.vision();
    int width = tower.width();
    int layers = tower.layers();
    int rows = images * length;
    int pixels = 3 * tower.patch() * tower.patch();
    Heads heads = tower.attention();
    int size = padded(heads);
    int columns = heads.query() * size;
    // Pixels into patches: two changes of shape, one of order, one of layout; fp32.
    move("reshape", 2, 8.0 * rows * pixels);
    move("permute", 1, 8.0 * rows * pixels);
    move("to_layout", 1, 8.0 * rows * pixels);
    linear(1, rows, pixels, width, Layer.EXACT);
    elementwise("add", 1, rows, 2 * width, width);
    elementwise("layer_norm", 2 * layers + 1, rows, width, width);
    linear(layers, rows, width, 3 * columns, Layer.MODEL);
    elementwise("nlp_create_qkv_heads", layers, rows, 3 * columns, 3 * columns);
    attend(layers, images, length, length, heads, size);
    linear(layers, rows, columns, width, Layer.MERGE);
    elementwise("add", 2 * layers, rows, 2 * width, width);
    linear(layers, rows, width, tower.mlp(), Layer.MODEL);
    linear(layers, rows, tower.mlp(), width, Layer.MODEL);
    linear(1, rows, width, dimensions.language().width(), Layer.MODEL);
    move("copy", 1, 4.0 * rows * dimensions.language().width());
  }

  private void prefix(Dimensions.Stack stack, int cameras, int length, int tokens) {
    stage = Stage.PREFIX;
    int width = stack.width();
    int block = padded(length);
    int rows = robots * block;
    Heads heads = stack.heads();
    int size = padded(heads);
    int full = stack.layers() - 1;
    int images = robots * cameras;
    double image = 4.0 * (length - tokens) / cameras * width;
    move(images == 1 ? "copy" : "slice", images, image);
    double prompt = 4.0 * padded(tokens) * width;
    move("embedding", 1, robots * prompt);
    move("multiply", 1, robots * prompt);
    if (robots > 1) {
      move("slice", robots, prompt);
    }
    move("concat", 1, 4.0 * rows * width);
    if (block > length) {
      move("add", 1, 2.0 * robots * block * block); // the mask
    }
    block(full, block, 0, stack, false);
    elementwise("rms_norm", 1, rows, width, width);
    linear(1, rows, width, 2 * heads.keyValue() * size, Layer.MODEL);
    int keys = heads.keyValue() * size;
    elementwise("nlp_create_qkv_heads", 1, rows, 2 * keys, 3 * keys);
    elementwise("rotary_embedding", 1, rows, keys, keys);
    double slab = 2.0 * stack.layers() * rows * keys * BF16_BYTES;
    move("concat", 1, 2 * slab, 0);
    move("copy", 1, 2 * slab, 0);
  }

  private void denoise(PolicyConfig config, Dimensions.Stack stack, int prefix, int steps) {
    stage = Stage.DENOISE;
    boolean hasState = config.type() == PolicyType.PI0;
    boolean adaptive = !hasState;
    int width = stack.width();
    int actions = config.maxActionDimension();
    int block = padded(config.chunkSize());
    int rows = robots * block;
    int context = padded(prefix);
    Heads heads = stack.heads();
    double layer = 2.0 * context * heads.keyValue() * padded(heads) * BF16_BYTES;
    double slab = stack.layers() * layer;
    boolean masked = hasState || context > prefix || block > config.chunkSize();
    // The prefixes in their places, together, and layer by layer.
    move(robots == 1 ? "copy" : "slice", robots, 2 * slab, 0);
    if (robots > 1) {
      move("concat", 1, 2 * robots * slab, 0);
    }
    move("slice", 2 * stack.layers(), robots * layer, 0);
    if (masked) {
      int masks = hasState ? 2 : 1;
      move("concat", masks, 0);
      move("add", masks, 2.0 * robots * block * (context + block));
    }
    if (hasState) {
      linear(1, robots * TILE, config.maxStateDimension(), width, Layer.EXACT);
      block(stack.layers(), TILE, context, stack, false);
      elementwise("rms_norm", 1, robots * TILE, width, width);
      context += TILE;
      linear(2 * steps, rows, width, width, Layer.EXACT);
    }
    linear(steps, rows, actions, width, Layer.EXACT);
    block(steps * stack.layers(), block, context, stack, adaptive);
    elementwise("rms_norm", steps, rows, width, width);
    linear(steps, rows, width, actions, Layer.EXACT);
    elementwise("add", steps, rows, 4 * actions, 2 * actions); // fp32
    move("copy", 1, 0);
  }

  /**
   * Blocks of a Gemma stack.
   *
   * @param length rows of each robot
   * @param context rows of each robot that they attend besides
   * @param adaptive whether a gate is in the residuals
   */
  private void block(int count, int length, int context, Dimensions.Stack stack, boolean adaptive) {
    int width = stack.width();
    int rows = robots * length;
    Heads heads = stack.heads();
    int size = padded(heads);
    int queries = heads.query() * size;
    int keys = heads.keyValue() * size;
    String residual = adaptive ? "addcmul" : "add";
    elementwise("rms_norm", 2 * count, rows, width, width);
    linear(count, rows, width, queries + 2 * keys, Layer.MODEL);
    elementwise("nlp_create_qkv_heads", count, rows, queries + 2 * keys, queries + 2 * keys);
    elementwise("rotary_embedding", count, rows, queries, queries);
    elementwise("rotary_embedding", count, rows, keys, keys);
    if (context > 0) {
      double read = (double) robots * context * keys * BF16_BYTES;
      move("concat", 2 * count, read, rows <= SMALL_ROWS ? 0 : read);
    }
    attend(count, robots, length, context + length, heads, size);
    linear(count, rows, queries, width, Layer.MERGE);
    elementwise(residual, 2 * count, rows, 2 * width, width);
    product("minimal_matmul_split", count, rows, width, 2 * stack.mlp(), Layer.MODEL);
    elementwise("multiply", count, rows, 2 * stack.mlp(), stack.mlp());
    linear(count, rows, stack.mlp(), width, Layer.MODEL);
  }

  // Operations ------------------------------------------------------------------------------------

  private void linear(int count, int rows, int inputs, int outputs, Layer layer) {
    product("linear", count, rows, inputs, outputs, layer);
  }

  private void product(String name, int count, int rows, int inputs, int outputs, Layer layer) {
    double weights = (double) padded(inputs) * padded(outputs);
    boolean coarse = layer != Layer.EXACT && precision == Precision.BFP8;
    boolean exact = layer != Layer.MODEL || !coarse;
    operations.add(
        new DeviceOperation(
            stage,
            name,
            count,
            2 * rows * weights,
            exact,
            weights * (coarse ? BFP8_BYTES : BF16_BYTES),
            far(rows, inputs + outputs)));
  }

  private void attend(int count, int sequences, int length, int keys, Heads heads, int size) {
    double flops = 4.0 * sequences * length * keys * heads.query() * size;
    int rows = sequences * length;
    double bytes = far(rows, 2 * heads.query() * size);
    if (rows > SMALL_ROWS) {
      bytes += 2.0 * sequences * keys * heads.keyValue() * size * BF16_BYTES;
    }
    String name = "scaled_dot_product_attention";
    operations.add(new DeviceOperation(stage, name, count, flops, true, 0, bytes));
  }

  private void elementwise(String name, int count, int rows, int read, int written) {
    move(name, count, far(rows, read + written));
  }

  private void move(String name, int count, double bytes) {
    move(name, count, 0, bytes);
  }

  private void move(String name, int count, double lasting, double passing) {
    operations.add(new DeviceOperation(stage, name, count, 0, false, lasting, passing));
  }

  private static double far(int rows, int columns) {
    return rows <= SMALL_ROWS ? 0 : (double) rows * columns * BF16_BYTES;
  }

  private static int padded(int count) {
    return Math.ceilDiv(count, TILE) * TILE;
  }

  /** The size of a head; small ones are padded so that they can be rotated. */
  private static int padded(Heads heads) {
    boolean two = heads.size() > TILE && heads.size() <= 2 * TILE;
    return two ? 2 * TILE : padded(heads.size());
  }
}
