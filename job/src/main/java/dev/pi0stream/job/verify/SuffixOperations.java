package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.policy.Guidance;
import dev.pi0stream.model.policy.Pi0Suffix;
import dev.pi0stream.model.policy.Suffix;
import dev.pi0stream.model.policy.TimeEmbedding;

/** What becomes of state, noisy actions and time before the expert, and the guidance's weights. */
final class SuffixOperations {
  private final Device device;
  private final GoldenFile file;
  private final LoadedPolicies policies;

  SuffixOperations(Device device, GoldenFile file, LoadedPolicies policies) {
    this.device = device;
    this.file = file;
    this.policies = policies;
  }

  /** Embeds a batch; every row of it has its own time. */
  void suffix(JsonNode about, OperationOutputs outputs) {
    Values x = file.get("in.x");
    float[] times = file.get("in.time").floats();
    int batch = x.dimension(0);
    int horizon = x.dimension(1);
    try (Suffix suffix =
        Suffix.load(device, policies.checkpoint(about.path("checkpoint").asText()))) {
      int leading = suffix.leadingRows();
      int rows = leading + horizon;
      float[][] embedded = new float[batch][];
      float[][] conditions = new float[batch][];
      int width = 0;
      for (int row = 0; row < batch; row++) {
        try (Scope _ = device.scope()) {
          Suffix.Step step = suffix.step(times[row]);
          CaseRecorder recorder = new CaseRecorder(device);
          step.show(recorder, 0);
          if (recorder.has("adarms_cond.step0", CaseRecorder.ALL_ROWS)) {
            conditions[row] = recorder.get("adarms_cond.step0").values();
          }
          Tensor actions = step.embed(device.upload(x.row(row).floats(), horizon, x.dimension(2)));
          width = actions.columns();
          embedded[row] = new float[rows * width];
          if (suffix instanceof Pi0Suffix pi0) {
            float[] state = file.get("in.state").row(row).floats();
            Tensor states = pi0.embedStates(device.upload(state, 1, state.length));
            System.arraycopy(device.download(states), 0, embedded[row], 0, width);
          }
          System.arraycopy(
              device.download(actions), 0, embedded[row], leading * width, horizon * width);
        }
      }
      int columns = width;
      outputs.device("embs", () -> Values.of(concatenated(embedded), batch, rows, columns));
      outputs.device("cond", () -> Values.of(concatenated(conditions), batch, columns));
      boolean[] valid = new boolean[batch * rows];
      float[] starts = new float[batch * rows];
      for (int i = 0; i < valid.length; i++) {
        valid[i] = true;
        // Every leading row attends only what is before it; the actions are one block.
        starts[i] = i % rows <= leading ? 1 : 0;
      }
      outputs.host("pad_mask", () -> Values.of(valid, batch, rows));
      outputs.host("block_starts", () -> Values.of(starts, batch, rows));
    }
  }

  private static float[] concatenated(float[][] rows) {
    int columns = rows[0].length;
    float[] all = new float[rows.length * columns];
    for (int row = 0; row < rows.length; row++) {
      System.arraycopy(rows[row], 0, all, row * columns, columns);
    }
    return all;
  }

  /** {@code out.w<width>} of {@code in.times.w<width>}. */
  static void timeEmbedding(JsonNode about, GoldenFile file, OperationOutputs outputs) {
    double minPeriod = about.path("parameters").path("min_period").asDouble(4e-3);
    double maxPeriod = about.path("parameters").path("max_period").asDouble(4);
    for (String name : file.names("out.w")) {
      int width = Integer.parseInt(name.substring("out.w".length()));
      TimeEmbedding embedding = new TimeEmbedding(width, minPeriod, maxPeriod);
      float[] times = file.get("in.times.w" + width).floats();
      float[][] rows = new float[times.length][];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = embedding.at(times[i]);
      }
      outputs.host("w" + width, () -> Values.of(concatenated(rows), rows.length, width));
    }
  }

  /** How strongly the steps of a chunk are held to the one before, by schedule. */
  static void guidanceWeights(JsonNode about, OperationOutputs outputs) {
    for (JsonNode row : about.path("parameters").path("rows")) {
      Guidance.Schedule schedule = Guidance.Schedule.valueOf(row.path("schedule").asText());
      int chunk = row.path("chunk").asInt();
      outputs.host(
          row.path("key").asText(),
          () ->
              Values.of(
                  Guidance.weights(
                      schedule, row.path("delay").asInt(), row.path("horizon").asInt(), chunk),
                  chunk));
    }
  }
}
