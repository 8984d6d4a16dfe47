package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Weights;
import dev.pi0stream.model.policy.Modulation;
import dev.pi0stream.model.policy.Modulator;

/** RMSNorm and its adaptive form, by key: {@code in.<key>}, {@code out.<key>}. */
final class NormOperations {
  private final Device device;
  private final GoldenFile file;

  NormOperations(Device device, GoldenFile file) {
    this.device = device;
    this.file = file;
  }

  void rmsNorm(JsonNode about, OperationOutputs outputs) {
    float epsilon = epsilon(about);
    for (String name : file.names("out.")) {
      String key = name.substring("out.".length());
      Values x = file.get("in." + key);
      int columns = OperationCheck.columns(x);
      Parameter weight =
          file.has("weight." + key)
              ? file.stored("weight." + key).parameter()
              : Parameter.vector("weight." + key, new float[columns]);
      outputs.norm(
          key,
          () -> {
            try (Norm norm = device.rmsNorm(weight, columns, epsilon);
                Scope _ = device.scope()) {
              Tensor rows = device.upload(x.floats(), OperationCheck.rows(x), columns);
              return Values.of(device.download(device.rmsNorm(rows, norm)), x.shape());
            }
          });
    }
  }

  void adaptiveRmsNorm(JsonNode about, OperationOutputs outputs) {
    float epsilon = epsilon(about);
    for (String name : file.names(tensor -> tensor.startsWith("out.") && tensor.endsWith(".y"))) {
      String key = name.substring("out.".length(), name.length() - ".y".length());
      Values x = file.get("in." + key + ".x");
      Values cond = file.get("in." + key + ".cond");
      Adaptive adaptive = adaptive(key, x, cond, epsilon);
      outputs.norm(key + ".y", adaptive::normalised);
      outputs.device(key + ".gate", adaptive::gate);
    }
  }

  /** What an adaptive norm gives: batch × rows × width, and the gate of each batch row. */
  private record Adaptive(Values normalised, Values gate) {}

  private Adaptive adaptive(String key, Values x, Values cond, float epsilon) {
    int batch = cond.dimension(0);
    int columns = OperationCheck.columns(x);
    int rows = OperationCheck.rows(x) / batch;
    float[] normalised = new float[x.values().length];
    float[] gates = new float[batch * columns];
    Weights dense = file.weights("weight." + key + ".dense.");
    try (Modulator modulator = Modulator.load(device, dense, columns, cond.dimension(1));
        Norm norm = device.rmsNorm(null, columns, epsilon)) {
      for (int row = 0; row < batch; row++) {
        try (Scope _ = device.scope()) {
          Tensor condition = device.upload(cond.row(row).floats(), 1, cond.dimension(1));
          Modulation.Adaptive modulation = modulator.modulation(condition);
          Tensor values = device.upload(x.row(row).floats(), rows, columns);
          float[] result = device.download(modulation.normalize(device, values, norm));
          float[] gate = device.download(modulation.gate());
          System.arraycopy(result, 0, normalised, row * result.length, result.length);
          System.arraycopy(gate, 0, gates, row * columns, columns);
        }
      }
    }
    return new Adaptive(Values.of(normalised, x.shape()), Values.of(gates, batch, 1, columns));
  }

  private static float epsilon(JsonNode about) {
    return (float) about.path("parameters").path("eps").asDouble(1e-6);
  }
}
