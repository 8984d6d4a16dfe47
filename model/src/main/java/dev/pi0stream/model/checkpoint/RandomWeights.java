package dev.pi0stream.model.checkpoint;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.device.DType;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A policy nobody has trained, for measurements: matrices are N(0, 1/fan-in), so that rows keep
 * their size from layer to layer, the factors of norms are near 1 and biases small. A weight
 * depends on its name and the seed alone. Numbers are bf16, as published checkpoints store them.
 *
 * <p>Weights are generated when they are asked for; {@value #WINDOW} later, their memory is used
 * for others.
 */
public final class RandomWeights implements PolicyWeights, AutoCloseable {
  /** A block of the network asks for this many weights at most before it has used them. */
  private static final int WINDOW = 24;

  /** The sizes that can be generated. */
  public enum Size {
    /** π0 as openpi publishes it: SigLIP So400m/14, Gemma 2B, the 300M expert; 50 actions. */
    PI0,
    /** π0.5 as openpi publishes it. */
    PI05,
    /** A π0 of some hundred thousand parameters, for tests. */
    TINY;

    private PolicyType type() {
      return this == PI05 ? PolicyType.PI05 : PolicyType.PI0;
    }

    private Dimensions dimensions() {
      return switch (this) {
        case PI0, PI05 ->
            new Dimensions(
                new Dimensions.Vision(1152, 4304, 27, 16, 14, 16),
                new Dimensions.Stack(2048, 16384, 18, new Heads(8, 1, 256)),
                new Dimensions.Stack(1024, 4096, 18, new Heads(8, 1, 256)),
                257_152,
                10_000,
                1e-6f,
                1e-6f);
        case TINY ->
            new Dimensions(
                new Dimensions.Vision(48, 96, 2, 3, 14, 4),
                new Dimensions.Stack(64, 128, 3, new Heads(4, 1, 16)),
                new Dimensions.Stack(32, 64, 3, new Heads(4, 1, 16)),
                1024,
                10_000,
                1e-6f,
                1e-6f);
      };
    }
  }

  /** Quantiles of N(0, 1), so that 16 random bits are one number. */
  private static final float[] NORMAL = quantiles(1 << 16);

  /** Memory beyond this size is not kept for other weights. */
  private static final long LARGE = 1L << 28;

  private static final float SMALL = 0.02f;

  /** Actions of a chunk, as openpi publishes π0 and π0.5. */
  private static final int HORIZON = 50;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final PolicyConfig config;
  private final Dimensions dimensions;
  private final long seed;
  private final Map<Float, short[]> scaled = new HashMap<>();
  private final Deque<Room> window = new ArrayDeque<>();
  private final Map<Long, Deque<Room>> unused = new HashMap<>();

  /** The memory of a weight. */
  private record Room(Arena arena, MemorySegment memory) {}

  private RandomWeights(PolicyConfig config, Dimensions dimensions, long seed) {
    this.config = config;
    this.dimensions = dimensions;
    this.seed = seed;
  }

  /** Weights of a size for chunks of 50 actions. */
  public static RandomWeights of(Size size, int cameras, long seed) {
    return of(size, cameras, HORIZON, seed);
  }

  /**
   * Weights of a size.
   *
   * @param cameras how many the policy has
   * @param horizon actions of a chunk
   */
  public static RandomWeights of(Size size, int cameras, int horizon, long seed) {
    JsonNodeFactory json = JsonNodeFactory.instance;
    ObjectNode inputs = json.objectNode();
    Dimensions dimensions = size.dimensions();
    int side = dimensions.vision().resolution();
    for (int i = 0; i < cameras; i++) {
      ObjectNode camera = inputs.putObject("observation.images.camera" + i);
      camera.put("type", "VISUAL").putArray("shape").add(3).add(side).add(side);
    }
    ObjectNode document = json.objectNode();
    document.put("type", size.type().toString());
    document.set("input_features", inputs);
    document.put("n_action_steps", horizon);
    describe(document, horizon, side);
    Path name = Path.of("random weights");
    PolicyConfig config = PolicyConfig.parse(JsonFile.of(name, document), size.type());
    return new RandomWeights(config, dimensions, seed);
  }

  /**
   * Weights of a size for the robots of a checkpoint: with its cameras, states, actions and
   * prompts, and with pictures and chunks as large as the size's.
   *
   * @param folder of the checkpoint, whose weights are not read
   * @throws CheckpointException if its configuration is broken, or that of another policy
   */
  public static RandomWeights of(Size size, Path folder, long seed) {
    JsonFile file = JsonFile.read(folder.resolve(PolicyConfig.FILE));
    ObjectNode document = file.node().deepCopy();
    describe(document, HORIZON, size.dimensions().vision().resolution());
    PolicyConfig config = PolicyConfig.parse(JsonFile.of(file.file(), document), size.type());
    if (config.type() != size.type()) {
      throw new CheckpointException(
          "%s: field 'type' is %s; expected %s, as the weights that are made up"
              .formatted(file.file(), config.type(), size.type()));
    }
    return new RandomWeights(config, size.dimensions(), seed);
  }

  private static void describe(ObjectNode document, int horizon, int side) {
    document.put("chunk_size", horizon);
    document.putArray("image_resolution").add(side).add(side);
  }

  @Override
  public PolicyConfig config() {
    return config;
  }

  @Override
  public Dimensions dimensions() {
    return dimensions;
  }

  @Override
  public long usedParameters() {
    long table = (long) dimensions.vocabulary() * dimensions.language().width();
    return Architecture.shapes(config, dimensions).entrySet().stream()
        .filter(entry -> !Architecture.isUnused(entry.getKey(), dimensions))
        .mapToLong(
            entry ->
                entry.getValue().stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b))
        .reduce(table, Long::sum);
  }

  @Override
  public Parameter embedding() {
    int width = dimensions.language().width();
    // Rows are multiplied by √width when they are looked up.
    return generate(TensorNames.LANGUAGE_TABLE, dimensions.vocabulary(), width);
  }

  @Override
  public Weights weights() {
    return new Weights() {
      @Override
      public Parameter matrix(String name, int rows, int columns) {
        return generate(name, rows, columns);
      }

      @Override
      public boolean has(String name) {
        return !name.endsWith("dense.weight")
            || (name.startsWith(TensorNames.EXPERT) && config.type() == PolicyType.PI05);
      }
    };
  }

  private Parameter generate(String name, int rows, int columns) {
    MemorySegment data = room((long) rows * columns * Short.BYTES);
    boolean norm = name.contains("norm") && name.endsWith("weight") && rows == 1;
    float scale = rows == 1 ? SMALL : (float) (1 / Math.sqrt(columns));
    // Gemma's factors are 1 + weight, SigLIP's are the weight.
    boolean aroundOne = norm && name.startsWith(TensorNames.VISION);
    short[] numbers =
        aroundOne ? rounded(1, scale) : scaled.computeIfAbsent(scale, s -> rounded(0, s));
    long named = seed * 0x9E3779B97F4A7C15L + name.hashCode();
    IntStream.range(0, rows)
        .parallel()
        .forEach(
            row -> {
              MemorySegment into =
                  data.asSlice((long) row * columns * Short.BYTES, (long) columns * Short.BYTES);
              fill(into, columns, numbers, new SplittableRandom(named + 0x632BE59BD9B4E019L * row));
            });
    return new Parameter(name, DType.BF16, rows, columns, data);
  }

  /**
   * Memory of this size: that of a weight which nobody needs any more, if there is one, since new
   * memory takes longer than the numbers. The largest, an embedding table, is freed instead.
   */
  private MemorySegment room(long bytes) {
    if (window.size() >= WINDOW) {
      Room eldest = window.remove();
      if (eldest.memory.byteSize() > LARGE) {
        eldest.arena.close();
      } else {
        unused.computeIfAbsent(eldest.memory.byteSize(), _ -> new ArrayDeque<>()).add(eldest);
      }
    }
    Room room = unused.getOrDefault(bytes, new ArrayDeque<>()).poll();
    if (room == null) {
      Arena arena = Arena.ofShared();
      room = new Room(arena, arena.allocate(bytes, 64));
    }
    window.add(room);
    return room.memory;
  }

  private static void fill(MemorySegment row, int columns, short[] numbers, SplittableRandom bits) {
    long word = 0;
    for (int column = 0; column < columns; column++) {
      word = column % 4 == 0 ? bits.nextLong() : word >>> 16;
      row.setAtIndex(SHORT, column, numbers[(int) word & 0xffff]);
    }
  }

  private static short[] rounded(float mean, float scale) {
    short[] numbers = new short[NORMAL.length];
    for (int i = 0; i < numbers.length; i++) {
      int bits = Float.floatToRawIntBits(mean + scale * NORMAL[i]);
      numbers[i] = (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
    }
    return numbers;
  }

  /** The middle of each of so many equal parts of N(0, 1), by bisecting its distribution. */
  private static float[] quantiles(int count) {
    float[] values = new float[count];
    double x = -5;
    for (int i = 0; i < count / 2; i++) {
      double wanted = (i + 0.5) / count;
      for (int step = 0; step < 60; step++) {
        double change = (probability(x) - wanted) / (Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
        x -= Math.clamp(change, -0.5, 0.5);
        if (Math.abs(change) < 1e-9) {
          break;
        }
      }
      values[i] = (float) x;
      values[count - 1 - i] = (float) -x;
    }
    return values;
  }

  /** P(X < x) of N(0, 1) for x ≤ 0; Abramowitz and Stegun 26.2.17, error below 7.5e-8. */
  private static double probability(double x) {
    double t = 1 / (1 - 0.2316419 * x);
    double polynomial =
        t
            * (0.319381530
                + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) * polynomial;
  }

  /** Frees what is in memory. */
  @Override
  public void close() {
    window.forEach(room -> room.arena.close());
    unused.values().forEach(rooms -> rooms.forEach(room -> room.arena.close()));
    window.clear();
    unused.clear();
  }
}
