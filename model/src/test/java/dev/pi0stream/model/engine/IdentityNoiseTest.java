package dev.pi0stream.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdentityNoiseTest {
  private final Noise noise = new IdentityNoise(0);

  /** The known answers of Random123, the authors' own library. */
  @ParameterizedTest
  @CsvSource({
    "00000000 00000000 00000000 00000000, 00000000 00000000, 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff, ffffffff ffffffff, 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344, a4093822 299f31d0, d16cfe09 94fdcceb 5001e420 24126ea1",
  })
  void philoxGivesTheKnownAnswers(String counter, String key, String answer) {
    int[] words = words(counter);
    int[] keys = words(key);
    Philox.block(words, keys[0], keys[1]);
    assertThat(words).containsExactly(words(answer));
  }

  /** Computed once by an independent implementation; the streams may never change. */
  @Test
  void theStreamsAreFixed() {
    assertThat(noise.draw(new ObservationId("arm-7", "episode-3", 41), 6))
        .containsExactly(
            -0.3258917f, 0.70347095f, 0.08266936f, 0.6049559f, -0.71358216f, 0.36972442f);
    assertThat(new IdentityNoise(20260101).draw(new ObservationId("Рука", "", -1), 6))
        .containsExactly(
            -1.310222f, 0.10448301f, -0.83902603f, -0.6009094f, 0.2337815f, -0.0029230816f);
  }

  @Test
  void aChunkThatIsComputedAgainStartsFromTheSameNoise() {
    ObservationId id = new ObservationId("arm-7", "episode-3", 41);
    assertThat(noise.draw(id, 1600)).containsExactly(new IdentityNoise(0).draw(id, 1600));
  }

  @Test
  void fewerDrawsAreTheBeginningOfMore() {
    ObservationId id = new ObservationId("arm-7", "episode-3", 41);
    float[] more = noise.draw(id, 100);
    for (int count : new int[] {0, 1, 2, 3, 5, 7, 99}) {
      assertThat(noise.draw(id, count)).containsExactly(Arrays.copyOf(more, count));
    }
  }

  @Test
  void anotherIdentityOrSeedGivesOtherNoise() {
    Set<Float> first = new HashSet<>();
    for (ObservationId id :
        new ObservationId[] {
          new ObservationId("a", "b", 0),
          new ObservationId("a", "b", 1),
          new ObservationId("ab", "", 0),
          new ObservationId("", "ab", 0),
        }) {
      first.add(noise.draw(id, 1)[0]);
      first.add(new IdentityNoise(1).draw(id, 1)[0]);
    }
    assertThat(first).hasSize(8);
  }

  @Test
  void drawsAreStandardNormal() {
    int count = 1 << 20;
    float[] draws = noise.draw(new ObservationId("robot", "episode", 0), count);
    double sum = 0;
    double squares = 0;
    double fourths = 0;
    double neighbours = 0;
    int beyondTwo = 0;
    for (int i = 0; i < count; i++) {
      double draw = draws[i];
      sum += draw;
      squares += draw * draw;
      fourths += draw * draw * draw * draw;
      neighbours += i == 0 ? 0 : draw * draws[i - 1];
      beyondTwo += Math.abs(draw) > 2 ? 1 : 0;
    }
    assertThat(sum / count).isCloseTo(0, within(5e-3));
    assertThat(squares / count).isCloseTo(1, within(7e-3));
    assertThat(fourths / count).isCloseTo(3, within(5e-2));
    assertThat(neighbours / count).isCloseTo(0, within(5e-3));
    assertThat((double) beyondTwo / count).isCloseTo(0.0455, within(1e-3));
  }

  private static int[] words(String hex) {
    return Arrays.stream(hex.trim().split(" "))
        .mapToInt(word -> Integer.parseUnsignedInt(word, 16))
        .toArray();
  }
}
