package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Tensor;

/** Rotary position embeddings of queries and keys: {@code in.<key>.q}, {@code .k}. */
final class RopeOperation {
  private final Device device;
  private final GoldenFile file;

  RopeOperation(Device device, GoldenFile file) {
    this.device = device;
    this.file = file;
  }

  void run(JsonNode about, OperationOutputs outputs) {
    double base = about.path("parameters").path("theta").asDouble(10000);
    for (String name : file.names(tensor -> tensor.startsWith("in.") && tensor.endsWith(".q"))) {
      String key = name.substring("in.".length(), name.length() - ".q".length());
      Values q = file.get("in." + key + ".q");
      Values k = file.get("in." + key + ".k");
      Values positions = file.get("in." + key + ".positions");
      Heads heads = new Heads(q.dimension(1), k.dimension(1), q.dimension(3));
      float[] packed = rotate(q, k, positions.integers(), heads, base);
      outputs.device(key + ".q", () -> unpack(packed, q.shape(), 0, heads));
      outputs.device(key + ".k", () -> unpack(packed, k.shape(), heads.queryColumns(), heads));
    }
  }

  /** Batch × heads × rows × size, put side by side as the device wants it, and rotated. */
  private float[] rotate(Values q, Values k, int[] positions, Heads heads, double base) {
    int rows = positions.length;
    float[] packed = new float[rows * heads.columns()];
    copy(q, packed, 0, heads, true);
    copy(k, packed, heads.queryColumns(), heads, true);
    try (Scope _ = device.scope()) {
      Tensor tensor = device.upload(packed, rows, heads.columns());
      Rotation rotation = device.rotation(positions, tensor.sequences(), heads.size(), base);
      return device.download(device.rope(tensor, heads, rotation));
    }
  }

  private static Values unpack(float[] packed, int[] shape, int column, Heads heads) {
    Values values = Values.of(new float[Values.size(shape)], shape);
    copy(values, packed, column, heads, false);
    return values;
  }

  private static void copy(Values values, float[] packed, int column, Heads heads, boolean pack) {
    int batch = values.dimension(0);
    int count = values.dimension(1);
    int length = values.dimension(2);
    int size = values.dimension(3);
    for (int row = 0; row < batch * length; row++) {
      for (int head = 0; head < count; head++) {
        for (int i = 0; i < size; i++) {
          int from = ((row / length * count + head) * length + row % length) * size + i;
          int to = row * heads.columns() + column + head * size + i;
          if (pack) {
            packed[to] = (float) values.values()[from];
          } else {
            values.values()[from] = packed[to];
          }
        }
      }
    }
  }
}
