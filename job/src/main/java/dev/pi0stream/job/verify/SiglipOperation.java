package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Images;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.policy.PositionGrid;
import dev.pi0stream.model.policy.VisionBlock;
import dev.pi0stream.model.policy.VisionTower;
import java.util.LinkedHashMap;
import java.util.Map;

/** A whole SigLIP tower with the values inside its blocks, and its positions for other grids. */
final class SiglipOperation {
  private final Device device;
  private final GoldenFile file;

  SiglipOperation(Device device, GoldenFile file) {
    this.device = device;
    this.file = file;
  }

  void run(JsonNode about, OperationOutputs outputs) {
    JsonNode parameters = about.path("parameters");
    int patch = parameters.path("patch").asInt();
    int side = parameters.path("image_size").asInt();
    int grid = side / patch;
    Dimensions.Vision vision =
        new Dimensions.Vision(
            parameters.path("width").asInt(),
            parameters.path("mlp").asInt(),
            parameters.path("layers").asInt(),
            parameters.path("heads").asInt(),
            patch,
            grid);
    float epsilon = (float) parameters.path("layer_norm_eps").asDouble(1e-6);
    Values pixels = file.get("in.pixels");
    int batch = pixels.dimension(0);
    int[] shape = {batch, grid * grid, vision.width()};
    Map<String, Values> computed = new LinkedHashMap<>();
    try (VisionTower tower =
            VisionTower.load(device, file.weights("weight.vision_model."), vision, side, epsilon);
        Scope _ = device.scope()) {
      Images frames = device.images(pixels.floats(), batch, side);
      Mask images = tower.mask(batch);
      computed.put("patch_conv", channelsFirst(values(tower.patchEmbedding(frames), shape), grid));
      Tensor x = tower.embeddings(frames);
      computed.put("embeddings", values(x, shape));
      for (int i = 0; i < vision.layers(); i++) {
        VisionBlock block = tower.blocks().get(i);
        String name = "layer" + i;
        Tensor first = block.layerNorm1(x);
        Tensor attention = block.selfAttention(first, images);
        Tensor second = block.layerNorm2(device.add(x, attention));
        computed.put(name + ".layer_norm1", values(first, shape));
        computed.put(name + ".self_attn", values(attention, shape));
        computed.put(name + ".layer_norm2", values(second, shape));
        computed.put(name + ".mlp", values(block.mlp(second), shape));
        x = block.forward(x, images);
        computed.put(name, values(x, shape));
      }
      computed.put("last_hidden_state", values(tower.forward(frames, images), shape));
    }
    computed.forEach((name, values) -> outputs.device(name, () -> values));
  }

  void positions(JsonNode about, OperationOutputs outputs) {
    int side = about.path("parameters").path("from_grid").path(0).asInt();
    Values table = file.get("in.position_embedding");
    int width = table.dimension(1);
    PositionGrid grid = new PositionGrid(table.floats(), side, width);
    for (String name : file.names("out.")) {
      String key = name.substring("out.".length());
      int times = key.indexOf('x');
      int rows = Integer.parseInt(key.substring(0, times));
      int columns = Integer.parseInt(key.substring(times + 1));
      outputs.host(key, () -> Values.of(grid.interpolate(rows, columns), 1, rows * columns, width));
    }
  }

  private Values values(Tensor tensor, int... shape) {
    return Values.of(device.download(tensor), shape);
  }

  /** Puts rows of patches as a convolution gives them: image × channel × row × column. */
  private static Values channelsFirst(Values patches, int grid) {
    int batch = patches.dimension(0);
    int rows = patches.dimension(1);
    int width = patches.dimension(2);
    double[] out = new double[patches.values().length];
    for (int i = 0; i < out.length; i++) {
      int image = i / (rows * width);
      int row = i / width % rows;
      out[(image * width + i % width) * rows + row] = patches.values()[i];
    }
    return Values.of(out, batch, width, grid, grid);
  }
}
