package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Images;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.ArrayList;
import java.util.List;

/**
 * SigLIP's vision transformer (Zhai et al. 2023) without its pooling head: patches of an image
 * become rows, and every image attends itself. transformers' {@code SiglipVisionTransformer}.
 */
public final class VisionTower implements AutoCloseable {
  private final Device device;
  private final int side;
  private final int patch;
  private final int tokens;
  private final Linear patchEmbedding; // 3 · patch² → width
  private final Tensor positions; // tokens × width
  private final List<VisionBlock> blocks;
  private final Norm postLayerNorm;

  private VisionTower(
      Device device, Weights weights, Dimensions.Vision vision, int side, float epsilon) {
    int across = side / vision.patch();
    int width = vision.width();
    this.device = device;
    this.side = side;
    this.patch = vision.patch();
    this.tokens = across * across;
    Weights embeddings = weights.in("embeddings.");
    this.patchEmbedding =
        device.linear(
            embeddings.matrix("patch_embedding.weight", width, 3 * patch * patch),
            embeddings.vector("patch_embedding.bias", width),
            Precision.FP32);
    float[] table =
        embeddings
            .matrix("position_embedding.weight", vision.grid() * vision.grid(), width)
            .toFloats();
    PositionGrid grid = new PositionGrid(table, vision.grid(), width);
    this.positions = device.upload(grid.interpolate(across, across), tokens, width);
    List<VisionBlock> loaded = new ArrayList<>();
    for (int i = 0; i < vision.layers(); i++) {
      Weights layer = weights.in("encoder.layers." + i + ".");
      loaded.add(VisionBlock.load(device, layer, vision, epsilon));
    }
    this.blocks = List.copyOf(loaded);
    this.postLayerNorm =
        VisionBlock.layerNorm(device, weights.in("post_layernorm."), width, epsilon);
  }

  /**
   * Gives a tower's weights to a device; outside of any scope.
   *
   * @param weights below {@code vision_model.}
   * @param side of the images in pixels, a multiple of the patch; where it is not the side that the
   *     tower was trained on, the positions are interpolated
   */
  public static VisionTower load(
      Device device, Weights weights, Dimensions.Vision vision, int side, float epsilon) {
    return new VisionTower(device, weights, vision, side, epsilon);
  }

  /** Rows that an image becomes. */
  public int tokens() {
    return tokens;
  }

  /** Side of an image in pixels. */
  public int side() {
    return side;
  }

  /** The blocks, first to last. */
  public List<VisionBlock> blocks() {
    return blocks;
  }

  /** The convolution over patches: for each image tokens × width. */
  public Tensor patchEmbedding(Images images) {
    return device.linear(device.patches(images, patch), patchEmbedding);
  }

  /** The patches with their positions: for each image tokens × width. */
  public Tensor embeddings(Images images) {
    return device.add(patchEmbedding(images), positions);
  }

  /** Each of some images attends itself. */
  public Mask mask(int images) {
    return device.mask(Sequences.uniform(images, tokens));
  }

  /**
   * The features of some images.
   *
   * @param images in [−1, 1]
   * @param mask of as many images
   * @return for each image tokens × width, after {@code post_layernorm}
   */
  public Tensor forward(Images images, Mask mask) {
    try (Scope scope = device.scope()) {
      Tensor x = embeddings(images);
      for (VisionBlock block : blocks) {
        Tensor next = block.forward(x, mask);
        x.close();
        x = next;
      }
      return scope.keep(device.layerNorm(x, postLayerNorm));
    }
  }

  @Override
  public void close() {
    patchEmbedding.close();
    positions.close();
    blocks.forEach(VisionBlock::close);
    postLayerNorm.close();
  }
}
