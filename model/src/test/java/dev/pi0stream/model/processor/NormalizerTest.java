package dev.pi0stream.model.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.Golden;
import dev.pi0stream.model.checkpoint.Normalization;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.StoredTensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class NormalizerTest {
  @Test
  void leRobotsModesEqualItsOwn() {
    for (JsonNode entry : Golden.entries("normalisation")) {
      double tolerance = entry.path("relative_tolerance").asDouble();
      float epsilon = (float) entry.path("parameters").path("eps").asDouble();
      try (Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        StoredTensor in = tensors.get("in.value");
        int compared = 0;
        for (StoredTensor out : tensors.all()) {
          if (!out.name().startsWith("out.")) {
            continue;
          }
          String mode = out.name().substring(out.name().lastIndexOf('.') + 1);
          Normalizer normalizer = leRobot(tensors, Normalization.valueOf(mode), epsilon);
          double[] values =
              out.name().startsWith("out.normalised.")
                  ? normalizer.normalise(in.doubles(), last(in))
                  : normalizer.unnormalise(in.doubles(), last(in));
          double[] expected = out.doubles();
          for (int i = 0; i < expected.length; i++) {
            assertThat(values[i])
                .as("%s at %d", out.name(), i)
                .isCloseTo(expected[i], within(tolerance * Math.abs(expected[i])));
          }
          compared++;
        }
        assertThat(compared).isGreaterThanOrEqualTo(8);
      }
    }
  }

  private static Normalizer leRobot(Safetensors tensors, Normalization mode, float epsilon) {
    List<String> names = Statistics.names(mode);
    return new LeRobotNormalizer(
        mode,
        tensors.get("stats." + names.getFirst()).floats(),
        tensors.get("stats." + names.getLast()).floats(),
        epsilon);
  }

  @Test
  void openpisModesEqualItsOwn() {
    for (JsonNode entry : Golden.entries("openpi_normalise")) {
      double tolerance = entry.path("tolerance").asDouble();
      Statistics statistics =
          Statistics.ofOpenpi(Golden.FOLDER.resolve(entry.path("statistics").asText()));
      try (Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        for (Normalization mode : List.of(Normalization.MEAN_STD, Normalization.QUANTILES)) {
          String out = mode == Normalization.MEAN_STD ? "out.mean_std." : "out.quantile.";
          for (String feature : List.of("state", "actions")) {
            StoredTensor in = tensors.get("in." + feature);
            assertClose(
                openpi(statistics, feature, mode).normalise(in.doubles(), last(in)),
                tensors.get(out + feature),
                tolerance);
          }
          StoredTensor model = tensors.get("in.model_actions");
          assertClose(
              openpi(statistics, "actions", mode).unnormalise(model.doubles(), last(model)),
              tensors.get(out + "unnormalised_actions"),
              tolerance);
        }
      }
    }
  }

  private static Normalizer openpi(Statistics statistics, String feature, Normalization mode) {
    Statistics.Range range = statistics.range(feature, mode);
    return new OpenpiNormalizer(mode == Normalization.QUANTILES, range.low(), range.high());
  }

  @Test
  void absoluteActionsEqualOpenpis() {
    for (JsonNode entry : Golden.entries("openpi_normalise")) {
      JsonNode flags = entry.path("absolute_mask");
      boolean[] mask = new boolean[flags.size()];
      for (int i = 0; i < mask.length; i++) {
        mask[i] = flags.get(i).asBoolean();
      }
      RelativeActions relative = new RelativeActions(mask);
      try (Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        StoredTensor model = tensors.get("in.model_actions");
        StoredTensor states = tensors.get("in.state");
        StoredTensor out = tensors.get("out.absolute.actions");
        int batch = out.shape().getFirst();
        int horizon = out.shape().get(1);
        double[] actual = new double[batch * horizon * last(out)];
        for (int row = 0; row < batch; row++) {
          double[] actions = new double[horizon * last(out)];
          for (int i = 0; i < actions.length; i++) {
            int step = row * horizon + i / last(out);
            actions[i] = model.doubles()[step * last(model) + i % last(out)];
          }
          double[] state = new double[last(states)];
          System.arraycopy(states.doubles(), row * state.length, state, 0, state.length);
          relative.addState(actions, last(out), state);
          System.arraycopy(actions, 0, actual, row * actions.length, actions.length);
        }
        assertClose(actual, out, entry.path("tolerance").asDouble());
      }
    }
  }

  @Test
  void aColumnThatNeverMovedIsNotDividedByZero() {
    float[] same = {0.25f};
    Normalizer meanStd =
        new LeRobotNormalizer(Normalization.MEAN_STD, same, new float[] {0}, 1e-8f);
    assertThat(meanStd.normalise(new double[] {0.25}, 1)).containsExactly(0);
    assertThat(meanStd.normalise(new double[] {1.25}, 1)[0]).isCloseTo(1e8, within(100.0));
    Normalizer quantiles = new LeRobotNormalizer(Normalization.QUANTILES, same, same, 1e-8f);
    assertThat(quantiles.normalise(new double[] {0.25}, 1)).containsExactly(-1);
    assertThat(quantiles.unnormalise(new double[] {-1}, 1)).containsExactly(0.25);
  }

  @Test
  void identityLeavesAnyRow() {
    Normalizer identity =
        new LeRobotNormalizer(Normalization.IDENTITY, new float[0], new float[0], 1e-8f);
    assertThat(identity.normalise(new double[] {3, 4}, 2)).containsExactly(3, 4);
    assertThat(identity.unnormalise(new double[] {3, 4}, 2)).containsExactly(3, 4);
  }

  @Test
  void rowsOfAnotherWidthAreRefused() {
    Normalizer leRobot =
        new LeRobotNormalizer(Normalization.MEAN_STD, new float[2], new float[2], 1e-8f);
    assertThatThrownBy(() -> leRobot.normalise(new double[3], 3))
        .hasMessage("rows of 3 numbers: expected 2, as there are statistics");
    assertThatThrownBy(() -> leRobot.unnormalise(new double[1], 1))
        .hasMessage("rows of 1 numbers: expected 2, as there are statistics");
    Normalizer openpi = new OpenpiNormalizer(false, new double[2], new double[2]);
    assertThatThrownBy(() -> openpi.normalise(new double[3], 3))
        .hasMessage("rows of 3 numbers: expected at most 2, as there are statistics");
  }

  @Test
  void excludedNamesMatchAnyPartInLowerCase() {
    List<String> names = List.of("Left_Gripper.pos", "arm", "GRIP");
    assertThat(RelativeActions.excluding(List.of("gripper"), names, 3).mask())
        .containsExactly(false, true, true);
    assertThat(RelativeActions.excluding(List.of("Grip"), names, 4).mask())
        .containsExactly(false, true, false, true);
    assertThat(RelativeActions.excluding(List.of(""), names, 3).mask())
        .containsExactly(true, true, true);
  }

  @Test
  void withoutNamesEveryColumnIsRelative() {
    assertThat(RelativeActions.excluding(List.of("gripper"), List.of(), 3).mask())
        .containsExactly(true, true, true);
  }

  @Test
  void theStateIsNeededUpToTheLastRelativeColumn() {
    assertThat(new RelativeActions(new boolean[] {true, false, true, false}).stateDimensions())
        .isEqualTo(3);
    assertThat(RelativeActions.NONE.stateDimensions()).isZero();
    float[] actions = {1, 2, 3, 4, 5, 6};
    new RelativeActions(new boolean[] {true, false}).addState(actions, 3, new float[] {10, 20});
    assertThat(actions).containsExactly(11, 2, 3, 14, 5, 6);
  }

  private static int last(StoredTensor tensor) {
    return tensor.shape().getLast();
  }

  private static void assertClose(double[] values, StoredTensor expected, double tolerance) {
    double[] wanted = expected.doubles();
    assertThat(values).as(expected.name()).hasSameSizeAs(wanted);
    for (int i = 0; i < wanted.length; i++) {
      assertThat(values[i])
          .as("%s at %d", expected.name(), i)
          .isCloseTo(wanted[i], within(tolerance));
    }
  }
}
