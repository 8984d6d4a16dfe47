package dev.pi0stream.model.checkpoint;

import dev.pi0stream.device.Heads;
import java.util.Objects;

/**
 * The sizes of a network.
 *
 * @param vision the SigLIP tower
 * @param language the Gemma backbone, which computes the prefix
 * @param expert the action expert, which computes the suffix and attends the prefix layer by layer
 * @param vocabulary entries of the embedding table
 * @param ropeBase base of the rotary position embeddings' frequencies
 * @param rmsNormEpsilon of Gemma's norms
 * @param layerNormEpsilon of the vision tower's norms
 */
public record Dimensions(
    Vision vision,
    Stack language,
    Stack expert,
    int vocabulary,
    double ropeBase,
    float rmsNormEpsilon,
    float layerNormEpsilon) {

  /**
   * Sizes of the vision tower.
   *
   * @param width columns of its rows
   * @param mlp columns between the two layers of its MLP
   * @param heads how many heads divide the width
   * @param patch side of a patch in pixels
   * @param grid patches along a side of the pictures that it was trained on
   */
  public record Vision(int width, int mlp, int layers, int heads, int patch, int grid) {
    public Vision {
      if (heads < 1 || width % heads != 0) {
        throw new IllegalArgumentException(
            "%d heads do not divide a width of %d".formatted(heads, width));
      }
    }

    /** Its heads, each with keys and values of its own. */
    public Heads attention() {
      return new Heads(heads, heads, width / heads);
    }

    /** The side, in pixels, of the pictures that it was trained on. */
    public int resolution() {
      return grid * patch;
    }
  }

  /**
   * Sizes of a stack of Gemma blocks.
   *
   * @param width columns of its rows
   * @param mlp columns between the two layers of its MLP
   */
  public record Stack(int width, int mlp, int layers, Heads heads) {
    public Stack {
      Objects.requireNonNull(heads, "heads");
    }
  }

  public Dimensions {
    if (language.layers() != expert.layers()
        || !language.heads().withoutQueries().equals(expert.heads().withoutQueries())) {
      throw new IllegalArgumentException(
          "the expert (%d layers, %s) cannot attend the backbone (%d layers, %s) layer by layer"
              .formatted(expert.layers(), expert.heads(), language.layers(), language.heads()));
    }
  }
}
