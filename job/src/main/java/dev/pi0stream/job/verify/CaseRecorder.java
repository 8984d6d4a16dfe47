package dev.pi0stream.job.verify;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Device.HostKeyValues;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.policy.Probe;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Copies what a policy shows its {@link Probe} to the host. */
final class CaseRecorder implements Probe {
  private final Device device;
  private final Map<String, Map<Integer, Matrix>> seen = new HashMap<>();
  private final List<List<HostKeyValues>> prefix = new ArrayList<>();

  /** A tensor's numbers, row after row. */
  record Matrix(int rows, int columns, float[] values) {}

  CaseRecorder(Device device) {
    this.device = device;
  }

  @Override
  public void see(String name, int row, Tensor value) {
    Matrix matrix = new Matrix(value.rows(), value.columns(), device.download(value));
    if (seen.computeIfAbsent(name, _ -> new HashMap<>()).put(row, matrix) != null) {
      throw new IllegalStateException("the policy shows %s of row %d twice".formatted(name, row));
    }
  }

  @Override
  public void seePrefix(KeyValues keyValues) {
    for (int layer = 0; layer < keyValues.layers(); layer++) {
      List<HostKeyValues> rows = new ArrayList<>();
      for (int row = 0; row < keyValues.sequences().count(); row++) {
        rows.add(device.download(keyValues, layer, row));
      }
      prefix.add(rows);
    }
  }

  /** Whether the policy showed this. */
  boolean has(String name, int row) {
    return seen.getOrDefault(name, Map.of()).containsKey(row);
  }

  /** A tensor that packs all rows of the batch. */
  Matrix get(String name) {
    return get(name, -1);
  }

  /** A tensor of one row of the batch. */
  Matrix get(String name, int row) {
    Matrix matrix = seen.getOrDefault(name, Map.of()).get(row);
    if (matrix == null) {
      throw new IllegalStateException("the policy does not show " + name);
    }
    return matrix;
  }

  /** Keys and values of one row of the batch in one layer of the prefix. */
  HostKeyValues prefix(int layer, int row) {
    return prefix.get(layer).get(row);
  }

  /** The number of layers whose keys and values were shown. */
  int layers() {
    return prefix.size();
  }
}
