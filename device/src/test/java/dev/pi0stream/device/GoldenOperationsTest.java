package dev.pi0stream.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** LeRobot's own operations, where one of ours is the same; tolerances as in their manifest. */
class GoldenOperationsTest {
  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void rmsNorm(String name) throws Exception {
    Safetensors golden = Safetensors.golden("rms-norm");
    List<String> cases = names(golden, "in.");
    assertThat(cases).isNotEmpty();
    try (Device device = Devices.open(name, Precision.FP32)) {
      for (String key : cases) {
        Safetensors.Entry x = golden.get("in." + key);
        int columns = x.shape()[x.shape().length - 1];
        Parameter weight =
            golden.entries().containsKey("weight." + key)
                ? Parameter.vector(key, golden.get("weight." + key).floats())
                : null;
        Tensor y =
            device.rmsNorm(
                device.upload(x.floats(), x.values().length / columns, columns),
                device.rmsNorm(weight, columns, 1e-6f));
        close(device.download(y), golden.get("out." + key).floats(), 2e-6f);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void adaptiveRmsNorm(String name) throws Exception {
    Safetensors golden = Safetensors.golden("adaptive-rms-norm");
    try (Device device = Devices.open(name, Precision.FP32)) {
      for (String key : List.of("0", "1", "2")) {
        Safetensors.Entry x = golden.get("in." + key + ".x");
        float[] conditions = golden.get("in." + key + ".cond").floats();
        float[] weight = golden.get("weight." + key + ".dense.weight").floats();
        float[] bias = golden.get("weight." + key + ".dense.bias").floats();
        int batch = x.shape()[0];
        int rows = x.shape()[1];
        int columns = x.shape()[2];
        int inputs = conditions.length / batch;
        for (int i = 0; i < batch; i++) {
          Tensor condition =
              device.upload(
                  Arrays.copyOfRange(conditions, i * inputs, (i + 1) * inputs), 1, inputs);
          Tensor scale = part(device, condition, weight, bias, 0, columns);
          Tensor shift = part(device, condition, weight, bias, 1, columns);
          Tensor gate = part(device, condition, weight, bias, 2, columns);
          int from = i * rows * columns;
          float[] own = Arrays.copyOfRange(x.floats(), from, from + rows * columns);
          Tensor y =
              device.adaptiveRmsNorm(
                  device.upload(own, rows, columns),
                  device.rmsNorm(null, columns, 1e-6f),
                  scale,
                  shift);
          float[] expected = golden.get("out." + key + ".y").floats();
          close(device.download(y), Arrays.copyOfRange(expected, from, from + own.length), 1e-5f);
          float[] gates = golden.get("out." + key + ".gate").floats();
          close(
              device.download(gate),
              Arrays.copyOfRange(gates, i * columns, (i + 1) * columns),
              1e-5f);
        }
      }
    }
  }

  /** Scale, shift or gate of the dense layer. */
  private static Tensor part(
      Device device, Tensor condition, float[] weight, float[] bias, int part, int columns) {
    int inputs = condition.columns();
    int from = part * columns;
    int to = from + columns;
    return device.linear(
        condition,
        device.linear(
            Parameter.of(
                "w", columns, inputs, Arrays.copyOfRange(weight, from * inputs, to * inputs)),
            Parameter.vector("b", Arrays.copyOfRange(bias, from, to))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void rope(String name) throws Exception {
    Safetensors golden = Safetensors.golden("rope");
    try (Device device = Devices.open(name, Precision.FP32)) {
      for (String key : List.of("0", "1", "2", "3")) {
        Safetensors.Entry queries = golden.get("in." + key + ".q");
        Safetensors.Entry keys = golden.get("in." + key + ".k");
        int[] positions = golden.get("in." + key + ".positions").ints();
        int batch = queries.shape()[0];
        int rows = queries.shape()[2];
        Heads heads = new Heads(queries.shape()[1], keys.shape()[1], queries.shape()[3]);
        float[] packed = new float[batch * rows * heads.columns()];
        pack(queries, packed, heads, 0);
        pack(keys, packed, heads, heads.queryColumns());
        float[] expected = new float[packed.length];
        pack(golden.get("out." + key + ".q"), expected, heads, 0);
        pack(golden.get("out." + key + ".k"), expected, heads, heads.queryColumns());
        Tensor rotated =
            device.rope(
                device.upload(packed, batch * rows, heads.columns()),
                heads,
                device.rotation(positions, Sequences.of(batch * rows), heads.size(), 10_000));
        close(device.download(rotated), expected, 2e-4f);
      }
    }
  }

  /** Batch × heads × rows × size into rows of heads. */
  private static void pack(Safetensors.Entry entry, float[] packed, Heads heads, int column) {
    int count = entry.shape()[1];
    int rows = entry.shape()[2];
    int size = entry.shape()[3];
    float[] values = entry.floats();
    int next = 0;
    for (int batch = 0; batch < entry.shape()[0]; batch++) {
      for (int head = 0; head < count; head++) {
        for (int row = 0; row < rows; row++, next += size) {
          int target = (batch * rows + row) * heads.columns() + column + head * size;
          System.arraycopy(values, next, packed, target, size);
        }
      }
    }
  }

  private static List<String> names(Safetensors golden, String prefix) {
    return golden.entries().keySet().stream()
        .filter(key -> key.startsWith(prefix))
        .map(key -> key.substring(prefix.length()))
        .toList();
  }

  private static void close(float[] actual, float[] expected, float tolerance) {
    assertThat(actual).usingComparatorWithPrecision(tolerance).containsExactly(expected);
  }
}
