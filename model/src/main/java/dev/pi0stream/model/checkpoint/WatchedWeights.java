package dev.pi0stream.model.checkpoint;

import dev.pi0stream.device.Parameter;
import java.util.function.IntConsumer;

/** Weights that say how many of them have been taken, for whoever waits for a policy to load. */
public final class WatchedWeights implements PolicyWeights {
  private final PolicyWeights source;
  private final IntConsumer watcher;
  private final long all;
  private long taken;
  private int percent;

  /**
   * The weights of a source.
   *
   * @param watcher told, from 1 to 100, how many per cent have been taken, whenever that has
   *     changed
   */
  public WatchedWeights(PolicyWeights source, IntConsumer watcher) {
    this.source = source;
    this.watcher = watcher;
    this.all = source.usedParameters();
  }

  @Override
  public PolicyConfig config() {
    return source.config();
  }

  @Override
  public Dimensions dimensions() {
    return source.dimensions();
  }

  @Override
  public long usedParameters() {
    return all;
  }

  @Override
  public Parameter embedding() {
    return count(source.embedding());
  }

  @Override
  public Weights weights() {
    Weights weights = source.weights();
    return new Weights() {
      @Override
      public Parameter matrix(String name, int rows, int columns) {
        return count(weights.matrix(name, rows, columns));
      }

      @Override
      public boolean has(String name) {
        return weights.has(name);
      }
    };
  }

  private Parameter count(Parameter parameter) {
    taken += (long) parameter.rows() * parameter.columns();
    int now = (int) (100 * taken / all);
    if (now > percent) {
      percent = now;
      watcher.accept(now);
    }
    return parameter;
  }
}
