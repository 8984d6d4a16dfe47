package dev.pi0stream.job.bench;

import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What has to be multiplied for a batch of chunks, stage by stage: what cannot be left out,
 * whatever a device does besides. Prefix rows are keys and values only in the last layer; π0's
 * state rows go through the expert once.
 */
public final class Work {
  private final Map<Stage, List<Product>> products = new EnumMap<>(Stage.class);
  private final Map<Stage, Double> attention = new EnumMap<>(Stage.class);

  /**
   * Rows times the weights of a linear layer.
   *
   * @param count how many such products there are
   */
  public record Product(int rows, int inputs, int outputs, int count) {
    /** A multiplication and an addition are two operations. */
    double operations() {
      return 2.0 * rows * inputs * outputs * count;
    }
  }

  private Work() {
    for (Stage stage : Stage.values()) {
      products.put(stage, new ArrayList<>());
      attention.put(stage, 0.0);
    }
  }

  /** The work of one run. */
  public static Work of(BenchSettings settings, PolicyConfig config, Dimensions dimensions) {
    Work work = new Work();
    int seen =
        switch (settings.scope()) {
          case FULL -> settings.cameras() * settings.batch();
          case ONE_CAMERA -> settings.batch();
          case STATE -> 0;
        };
    int across = config.imageResolution() / dimensions.vision().patch();
    int tokens = across * across;
    int prefix = settings.cameras() * tokens + settings.tokens();
    if (seen > 0) {
      work.vision(dimensions, seen, tokens);
    }
    if (settings.scope() != BenchSettings.Scope.STATE) {
      work.prefix(dimensions.language(), settings.batch(), prefix);
    }
    work.denoise(settings, config, dimensions.expert(), prefix);
    return work;
  }

  private void vision(Dimensions dimensions, int images, int tokens) {
    Dimensions.Vision vision = dimensions.vision();
    int rows = images * tokens;
    int width = vision.width();
    int layers = vision.layers();
    add(Stage.VISION, rows, 3 * vision.patch() * vision.patch(), width, 1);
    add(Stage.VISION, rows, width, 3 * width, layers);
    add(Stage.VISION, rows, width, width, layers);
    add(Stage.VISION, rows, width, vision.mlp(), layers);
    add(Stage.VISION, rows, vision.mlp(), width, layers);
    add(Stage.VISION, rows, width, dimensions.language().width(), 1);
    attend(Stage.VISION, rows, tokens, width, layers);
  }

  private void prefix(Dimensions.Stack stack, int robots, int length) {
    int rows = robots * length;
    stack(Stage.PREFIX, stack, rows, stack.layers() - 1);
    add(Stage.PREFIX, rows, stack.width(), 2 * stack.heads().keyValueColumns(), 1);
    attend(Stage.PREFIX, rows, length, stack.heads().queryColumns(), stack.layers() - 1);
  }

  private void denoise(
      BenchSettings settings, PolicyConfig config, Dimensions.Stack stack, int prefix) {
    int robots = settings.batch();
    int rows = robots * config.chunkSize();
    int steps = settings.steps();
    int width = stack.width();
    int leading = config.type() == PolicyType.PI0 ? 1 : 0;
    if (leading == 1) {
      add(Stage.DENOISE, robots, config.maxStateDimension(), width, 1);
      stack(Stage.DENOISE, stack, robots, stack.layers());
      add(Stage.DENOISE, rows, width, width, 2 * steps);
    }
    add(Stage.DENOISE, rows, config.maxActionDimension(), width, steps);
    stack(Stage.DENOISE, stack, rows, stack.layers() * steps);
    add(Stage.DENOISE, rows, width, config.maxActionDimension(), steps);
    int keys = prefix + leading + config.chunkSize();
    attend(Stage.DENOISE, rows, keys, stack.heads().queryColumns(), stack.layers() * steps);
  }

  private void stack(Stage stage, Dimensions.Stack stack, int rows, int layers) {
    add(stage, rows, stack.width(), stack.heads().columns(), layers);
    add(stage, rows, stack.heads().queryColumns(), stack.width(), layers);
    add(stage, rows, stack.width(), stack.mlp(), 2 * layers);
    add(stage, rows, stack.mlp(), stack.width(), layers);
  }

  private void add(Stage stage, int rows, int inputs, int outputs, int count) {
    products.get(stage).add(new Product(rows, inputs, outputs, count));
  }

  private void attend(Stage stage, int rows, int keys, int columns, int layers) {
    attention.merge(stage, 4.0 * rows * keys * columns * layers, Double::sum);
  }

  /** The products with weights. */
  List<Product> products(Stage stage) {
    return List.copyOf(products.get(stage));
  }

  /** Floating-point operations, those of attention among them. */
  public double operations(Stage stage) {
    double sum = attention.get(stage);
    for (Product product : products.get(stage)) {
      sum += product.operations();
    }
    return sum;
  }
}
