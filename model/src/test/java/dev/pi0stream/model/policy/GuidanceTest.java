package dev.pi0stream.model.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.checkpoint.Safetensors;
import org.junit.jupiter.api.Test;

class GuidanceTest {
  @Test
  void weighsTheStepsOfAChunkAsLeRobotDoes() {
    JsonNode entry = Golden.named("ops", "rtc-weights");
    try (Safetensors file = Golden.open(entry)) {
      for (JsonNode row : entry.at("/parameters/rows")) {
        String key = row.get("key").textValue();
        float[] weights =
            Guidance.weights(
                Guidance.Schedule.valueOf(row.get("schedule").textValue()),
                row.get("delay").intValue(),
                row.get("horizon").intValue(),
                row.get("chunk").intValue());
        Golden.assertClose(
            key, weights, file.get("out." + key).floats(), entry.get("tolerance").doubleValue());
      }
    }
  }

  @Test
  void weighsTheStepsOfDenoisingAsLeRobotDoes() {
    Golden.entries("rtc")
        .forEach(
            entry -> {
              try (Safetensors file = Golden.open(entry)) {
                int steps = entry.get("num_steps").intValue();
                float maxWeight = entry.get("max_guidance_weight").floatValue();
                for (int step = 0; step < steps; step++) {
                  double time = Denoiser.time(step, steps);
                  file.find("guidance_weight.step" + step)
                      .ifPresent(
                          expected ->
                              assertThat(Guidance.weight(time, maxWeight))
                                  .isCloseTo(expected.floats()[0], within(1e-6f)));
                }
              }
            });
  }

  @Test
  void shrinksTheHorizonToAShortLeftover() {
    Guidance guidance = new Guidance(new float[6], 3, 2, 1, 10, Guidance.Schedule.ONES, 10);

    assertThat(guidance.weights(5)).containsExactly(1, 1, 1, 0, 0);
  }

  @Test
  void fillsAShortLeftoverWithZeros() {
    Guidance guidance =
        new Guidance(new float[] {1, 2, 3, 4}, 2, 2, 0, 2, Guidance.Schedule.ONES, 10);

    assertThat(guidance.padded(3, 3)).containsExactly(1, 2, 0, 3, 4, 0, 0, 0, 0);
  }

  @Test
  void refusesWhatCannotBeALeftover() {
    assertThatThrownBy(() -> new Guidance(new float[5], 2, 2, 0, 1, Guidance.Schedule.ONES, 1))
        .hasMessage("leftover of 2 × 2 steps has 5 numbers");
    assertThatThrownBy(() -> new Guidance(new float[4], 2, 2, -1, 1, Guidance.Schedule.ONES, 1))
        .hasMessageContaining("inference delay -1");
    assertThatThrownBy(() -> new Guidance(new float[4], 2, 2, 0, -1, Guidance.Schedule.ONES, 1))
        .hasMessageContaining("execution horizon -1");
    assertThatThrownBy(() -> new Guidance(new float[4], 2, 2, 0, 1, Guidance.Schedule.ONES, 0))
        .hasMessageContaining("guidance weight 0.0");
  }
}
