package dev.pi0stream.model.checkpoint;

import dev.pi0stream.device.Parameter;

/** Weights by name, below some prefix: what a part of a network is loaded from. */
public interface Weights {
  /**
   * A weight of a known shape; a vector has one row, the kernels of a convolution are one row each.
   *
   * @param name below this prefix, such as {@code self_attn.q_proj.weight}
   * @throws CheckpointException if it is missing or of another shape
   */
  Parameter matrix(String name, int rows, int columns);

  /** A vector of a known length. */
  default Parameter vector(String name, int length) {
    return matrix(name, 1, length);
  }

  /** Whether there is a weight of this name. */
  boolean has(String name);

  /** The weights below a longer prefix, which ends with a dot. */
  default Weights in(String prefix) {
    Weights outer = this;
    return new Weights() {
      @Override
      public Parameter matrix(String name, int rows, int columns) {
        return outer.matrix(prefix + name, rows, columns);
      }

      @Override
      public boolean has(String name) {
        return outer.has(prefix + name);
      }
    };
  }

  /** The weights among some tensors, under the names that they have there. */
  static Weights of(Tensors tensors) {
    return new Weights() {
      @Override
      public Parameter matrix(String name, int rows, int columns) {
        return tensors.get(name).parameter(rows, columns);
      }

      @Override
      public boolean has(String name) {
        return tensors.find(name).isPresent();
      }
    };
  }
}
