package dev.pi0stream.model.policy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Images;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class VisionTowerTest {
  static Stream<JsonNode> towers() {
    return Golden.operations("siglip_tower");
  }

  @ParameterizedTest
  @MethodSource("towers")
  void seesAsSiglipDoesAtEveryStep(JsonNode entry) {
    JsonNode sizes = entry.get("parameters");
    double tolerance = entry.get("tolerance").doubleValue();
    int side = sizes.get("image_size").intValue();
    int patch = sizes.get("patch").intValue();
    int width = sizes.get("width").intValue();
    Dimensions.Vision vision =
        new Dimensions.Vision(
            width,
            sizes.get("mlp").intValue(),
            sizes.get("layers").intValue(),
            sizes.get("heads").intValue(),
            patch,
            side / patch);
    try (Safetensors file = Golden.open(entry);
        Device device = new ReferenceDevice()) {
      VisionTower tower =
          VisionTower.load(
              device,
              Weights.of(file).in("weight.vision_model."),
              vision,
              side,
              sizes.get("layer_norm_eps").floatValue());
      int images = file.get("in.pixels").shape().getFirst();
      Images pixels = device.images(file.get("in.pixels").floats(), images, side);
      Mask mask = tower.mask(images);

      Tensor patches = tower.patchEmbedding(pixels);
      Golden.assertClose(
          "patch_conv",
          device.download(patches),
          channelsLast(file.get("out.patch_conv").floats(), images, width),
          tolerance);
      Tensor x = tower.embeddings(pixels);
      check(device, file, "embeddings", x, tolerance);
      for (int i = 0; i < vision.layers(); i++) {
        VisionBlock block = tower.blocks().get(i);
        String layer = "layer" + i;
        Tensor normed = block.layerNorm1(x);
        check(device, file, layer + ".layer_norm1", normed, tolerance);
        Tensor attended = block.selfAttention(normed, mask);
        check(device, file, layer + ".self_attn", attended, tolerance);
        Tensor middle = block.layerNorm2(device.add(x, attended));
        check(device, file, layer + ".layer_norm2", middle, tolerance);
        check(device, file, layer + ".mlp", block.mlp(middle), tolerance);
        x = block.forward(x, mask);
        check(device, file, layer, x, tolerance);
      }
      check(device, file, "last_hidden_state", tower.forward(pixels, mask), tolerance);
    }
  }

  private static void check(
      Device device, Safetensors file, String name, Tensor found, double tolerance) {
    Golden.assertClose(name, device.download(found), file.get("out." + name).floats(), tolerance);
  }

  /** A convolution's images × channels × places as rows of channels. */
  private static float[] channelsLast(float[] values, int images, int channels) {
    int places = values.length / images / channels;
    float[] rows = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      int image = i / (channels * places);
      int channel = i / places % channels;
      rows[(image * places + i % places) * channels + channel] = values[i];
    }
    return rows;
  }
}
