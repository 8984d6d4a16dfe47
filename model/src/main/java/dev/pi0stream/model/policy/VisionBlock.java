package dev.pi0stream.model.policy;

import dev.pi0stream.device.Activation;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.List;
import java.util.stream.Stream;

/**
 * A block of the SigLIP tower: attention of each image over itself and an MLP, each behind a
 * LayerNorm and with a residual. transformers' {@code SiglipEncoderLayer}.
 */
public final class VisionBlock implements AutoCloseable {
  private final Device device;
  private final Heads heads;
  private final Norm layerNorm1;
  private final Linear projection; // width → queries, keys, values
  private final Linear out; // heads → width
  private final Norm layerNorm2;
  private final Linear fc1; // width → mlp
  private final Linear fc2; // mlp → width

  private VisionBlock(Device device, Weights weights, Dimensions.Vision vision, float epsilon) {
    int width = vision.width();
    this.device = device;
    this.heads = vision.attention();
    this.layerNorm1 = layerNorm(device, weights.in("layer_norm1."), width, epsilon);
    Weights attention = weights.in("self_attn.");
    List<Parameter> biases =
        Stream.of("q_proj.bias", "k_proj.bias", "v_proj.bias")
            .map(name -> attention.vector(name, width))
            .toList();
    this.projection =
        device.projection(
            heads,
            attention.matrix("q_proj.weight", width, width),
            attention.matrix("k_proj.weight", width, width),
            attention.matrix("v_proj.weight", width, width),
            biases);
    this.out =
        device.merge(
            heads,
            attention.matrix("out_proj.weight", width, width),
            attention.vector("out_proj.bias", width));
    this.layerNorm2 = layerNorm(device, weights.in("layer_norm2."), width, epsilon);
    Weights mlp = weights.in("mlp.");
    this.fc1 =
        device.linear(
            mlp.matrix("fc1.weight", vision.mlp(), width), mlp.vector("fc1.bias", vision.mlp()));
    this.fc2 =
        device.linear(mlp.matrix("fc2.weight", width, vision.mlp()), mlp.vector("fc2.bias", width));
  }

  /**
   * Gives a block's weights to a device.
   *
   * @param weights below {@code encoder.layers.<i>.}
   */
  public static VisionBlock load(
      Device device, Weights weights, Dimensions.Vision vision, float epsilon) {
    return new VisionBlock(device, weights, vision, epsilon);
  }

  static Norm layerNorm(Device device, Weights weights, int width, float epsilon) {
    return device.layerNorm(
        weights.vector("weight", width), weights.vector("bias", width), epsilon);
  }

  /** The norm before the attention. */
  public Tensor layerNorm1(Tensor x) {
    return device.layerNorm(x, layerNorm1);
  }

  /** The attention of what {@link #layerNorm1} gave, without the residual. */
  public Tensor selfAttention(Tensor normed, Mask images) {
    return selfAttention(normed, images, Epilogue.NONE);
  }

  private Tensor selfAttention(Tensor normed, Mask images, Epilogue epilogue) {
    Tensor packed = device.linear(normed, projection);
    return device.linear(device.attention(packed, heads, images), out, epilogue);
  }

  /** The norm before the MLP. */
  public Tensor layerNorm2(Tensor x) {
    return device.layerNorm(x, layerNorm2);
  }

  /** The MLP of what {@link #layerNorm2} gave, without the residual. */
  public Tensor mlp(Tensor normed) {
    return mlp(normed, Epilogue.NONE);
  }

  private Tensor mlp(Tensor normed, Epilogue epilogue) {
    Tensor inner = device.linear(normed, fc1, Epilogue.activation(Activation.GELU_TANH));
    return device.linear(inner, fc2, epilogue);
  }

  /**
   * The whole block.
   *
   * @param x rows × width, image after image
   * @param images each image attends itself
   */
  public Tensor forward(Tensor x, Mask images) {
    try (Scope scope = device.scope()) {
      Tensor middle = selfAttention(layerNorm1(x), images, Epilogue.residual(x));
      return scope.keep(mlp(layerNorm2(middle), Epilogue.residual(middle)));
    }
  }

  @Override
  public void close() {
    layerNorm1.close();
    projection.close();
    out.close();
    layerNorm2.close();
    fc1.close();
    fc2.close();
  }
}
