package dev.pi0stream.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.device.DType;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.model.policy.Policy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomWeightsTest {
  @Test
  void matricesAreNormalWithTheVarianceOfOneOverTheirInputs() {
    try (RandomWeights weights = RandomWeights.of(RandomWeights.Size.PI0, 3, 0)) {
      float[] values = weights.weights().matrix("a.weight", 512, 400).toFloats();
      double sum = 0;
      double squares = 0;
      int within = 0;
      for (float value : values) {
        sum += value;
        squares += (double) value * value;
        within += Math.abs(value) < 1 / Math.sqrt(400) ? 1 : 0;
      }
      assertThat(sum / values.length).isCloseTo(0, within(5e-4));
      assertThat(squares / values.length * 400).isCloseTo(1, within(0.02));
      assertThat((double) within / values.length).isCloseTo(0.6827, within(0.01));
    }
  }

  @Test
  void normsAreNearOneAndBiasesSmall() {
    try (RandomWeights weights = RandomWeights.of(RandomWeights.Size.TINY, 1, 0)) {
      float[] vision = weights.vision().vector("post_layernorm.weight", 48).toFloats();
      float[] gemma = weights.language().vector("norm.weight", 64).toFloats();
      float[] bias = weights.projector().vector("bias", 64).toFloats();
      assertThat(vision).usingComparatorWithPrecision(0.15f).containsOnly(1);
      // Gemma's factor is 1 + weight.
      assertThat(gemma).usingComparatorWithPrecision(0.15f).containsOnly(0);
      assertThat(bias).usingComparatorWithPrecision(0.15f).containsOnly(0);
    }
  }

  @Test
  void weightsDependOnTheirNameAndTheSeedAlone() {
    try (RandomWeights some = RandomWeights.of(RandomWeights.Size.TINY, 1, 7);
        RandomWeights others = RandomWeights.of(RandomWeights.Size.TINY, 2, 7);
        RandomWeights seeded = RandomWeights.of(RandomWeights.Size.TINY, 1, 8)) {
      others.weights().matrix("before", 3, 5);
      float[] values = some.weights().matrix("name", 6, 8).toFloats();
      assertThat(others.weights().matrix("name", 6, 8).toFloats()).isEqualTo(values);
      assertThat(some.weights().matrix("other", 6, 8).toFloats()).isNotEqualTo(values);
      assertThat(seeded.weights().matrix("name", 6, 8).toFloats()).isNotEqualTo(values);
    }
  }

  @Test
  void aBlockOfWeightsStaysWhileItIsUsed() {
    try (RandomWeights weights = RandomWeights.of(RandomWeights.Size.TINY, 1, 0)) {
      Parameter first = weights.weights().matrix("first", 4, 4);
      float[] before = first.toFloats();
      for (int i = 0; i < 12; i++) {
        weights.weights().matrix("weight" + i, 4, 4);
      }
      assertThat(first.toFloats()).isEqualTo(before);
      assertThat(first.type()).isEqualTo(DType.BF16);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = RandomWeights.Size.class,
      names = {"PI0", "PI05"})
  void publishedSizesHaveThePublishedNumberOfParameters(RandomWeights.Size size) {
    try (RandomWeights weights = RandomWeights.of(size, 3, 0)) {
      assertThat(weights.usedParameters() / 1e9).isCloseTo(3.2, within(0.1));
    }
  }

  @Test
  void everyWeightIsTakenWhenAPolicyHasLoaded() {
    List<Integer> percents = new ArrayList<>();
    try (RandomWeights weights = RandomWeights.of(RandomWeights.Size.TINY, 1, 0);
        Device device = Devices.open("reference", Precision.FP32);
        Policy policy = Policy.load(new WatchedWeights(weights, percents::add), device)) {
      assertThat(policy.config().type()).isEqualTo(PolicyType.PI0);
      assertThat(percents).isSorted().doesNotHaveDuplicates();
      assertThat(percents.getLast()).isEqualTo(100);
    }
  }
}
