package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.checkpoint.Normalization;
import dev.pi0stream.model.processor.LeRobotNormalizer;
import dev.pi0stream.model.processor.Normalizer;
import dev.pi0stream.model.processor.OpenpiNormalizer;
import dev.pi0stream.model.processor.RelativeActions;
import dev.pi0stream.model.processor.Statistics;
import dev.pi0stream.model.text.StateBins;
import java.util.Arrays;
import java.util.List;

/** Normalisation in the conventions of LeRobot and openpi, and the bins of π0.5's state. */
final class StatisticsOperations {
  private final GoldenFile file;
  private final OperationOutputs outputs;

  StatisticsOperations(GoldenFile file, OperationOutputs outputs) {
    this.file = file;
    this.outputs = outputs;
  }

  /** {@code out.normalised.<mode>} and {@code out.unnormalised.<mode>} of {@code in.value}. */
  void leRobot(JsonNode about) {
    float epsilon = (float) about.path("parameters").path("eps").asDouble(1e-8);
    Values values = file.get("in.value");
    int columns = OperationCheck.columns(values);
    for (String name : file.names("out.normalised.")) {
      String key = name.substring("out.normalised.".length());
      Normalization mode = Normalization.valueOf(key);
      List<String> needed = Statistics.names(mode);
      Normalizer normalizer =
          needed.isEmpty()
              ? new LeRobotNormalizer(mode, new float[columns], new float[columns], epsilon)
              : new LeRobotNormalizer(
                  mode,
                  file.get("stats." + needed.getFirst()).floats(),
                  file.get("stats." + needed.getLast()).floats(),
                  epsilon);
      outputs.host(
          "normalised." + key,
          () -> Values.of(normalizer.normalise(values.values(), columns), values.shape()));
      outputs.host(
          "unnormalised." + key,
          () -> Values.of(normalizer.unnormalise(values.values(), columns), values.shape()));
    }
  }

  /** openpi's transforms, in fp64. */
  void openpi(Golden golden, JsonNode about) {
    Statistics statistics = Statistics.ofOpenpi(golden.resolve(about.path("statistics").asText()));
    Values state = file.get("in.state");
    Values model = file.get("in.model_actions");
    for (boolean quantiles : new boolean[] {false, true}) {
      String name = quantiles ? "quantile" : "mean_std";
      for (String feature : List.of("state", "actions")) {
        outputs.host(
            name + "." + feature,
            () -> {
              Values raw = file.get("in." + feature);
              return Values.of(
                  openpi(statistics, feature, quantiles)
                      .normalise(raw.values(), OperationCheck.columns(raw)),
                  raw.shape());
            });
      }
      outputs.host(
          name + ".unnormalised_actions",
          () ->
              Values.of(
                  openpi(statistics, "actions", quantiles)
                      .unnormalise(model.values(), OperationCheck.columns(model)),
                  model.shape()));
    }
    outputs.host("absolute.actions", () -> absolute(about.path("absolute_mask"), model, state));
  }

  private static Normalizer openpi(Statistics statistics, String feature, boolean quantiles) {
    Statistics.Range range =
        statistics.range(feature, quantiles ? Normalization.QUANTILES : Normalization.MEAN_STD);
    return new OpenpiNormalizer(quantiles, range.low(), range.high());
  }

  /** The first columns of the model's actions, with the state added where the mask says so. */
  private Values absolute(JsonNode flags, Values model, Values state) {
    int[] shape = file.get("out.absolute.actions").shape();
    int columns = shape[shape.length - 1];
    int batch = shape[0];
    int rows = Values.size(shape) / columns / batch;
    int modelColumns = OperationCheck.columns(model);
    boolean[] mask = new boolean[flags.size()];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = flags.get(i).asBoolean();
    }
    double[] all = new double[Values.size(shape)];
    for (int row = 0; row < batch; row++) {
      double[] actions = new double[rows * columns];
      for (int step = 0; step < rows; step++) {
        int from = (row * rows + step) * modelColumns;
        System.arraycopy(model.values(), from, actions, step * columns, columns);
      }
      new RelativeActions(Arrays.copyOf(mask, columns))
          .addState(actions, columns, state.row(row).values());
      System.arraycopy(actions, 0, all, row * actions.length, actions.length);
    }
    return Values.of(all, shape);
  }

  void stateBins() {
    double[] values = file.get("in.value").values();
    int[] bins = new int[values.length];
    for (int i = 0; i < bins.length; i++) {
      bins[i] = StateBins.bin(values[i]);
    }
    outputs.host("bin", () -> Values.of(bins, bins.length));
  }
}
