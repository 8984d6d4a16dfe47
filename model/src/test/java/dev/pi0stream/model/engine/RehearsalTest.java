package dev.pi0stream.model.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.model.engine.ServedPolicy.Computed;
import dev.pi0stream.model.engine.ServedPolicy.Inference;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.PixelDigest;
import dev.pi0stream.model.policy.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RehearsalTest {
  private final List<Computed> batches = new ArrayList<>();
  private final Set<Object> known = new HashSet<>();

  @Test
  void batchesOfAllSizesAreRunWithNewPicturesWithNoneAndWithOneOfEachRobot() {
    LatencyCurve curve = rehearse(8, Duration.ofMinutes(1));
    for (int rows = 1; rows <= 8; rows++) {
      assertThat(batches)
          .contains(
              new Computed(2 * rows, rows, rows),
              new Computed(0, 0, rows),
              new Computed(rows, rows, rows));
    }
    assertThat(curve.estimate(new Computed(6, 3, 3))).isEqualTo(Duration.ofMillis(6 + 3 + 3));
  }

  @Test
  void aPolicyThatTakesLongerThanTheLimitRunsOneBatch() {
    LatencyCurve curve = rehearse(8, Duration.ofNanos(1));
    assertThat(batches).hasSizeLessThanOrEqualTo(2);
    assertThat(curve.isEmpty()).isEqualTo(batches.isEmpty());
  }

  @Test
  void ofLargeBatchesThereArePowersOfTwoAndTheLargest() {
    rehearse(20, Duration.ofMinutes(1));
    assertThat(batches.stream().map(Computed::rows).distinct())
        .containsExactlyInAnyOrder(1, 2, 3, 4, 5, 6, 7, 8, 16, 20);
  }

  @Test
  void theBatchesThatTellMostComeFirst() {
    rehearse(4, Duration.ofMinutes(1));
    assertThat(batches.subList(0, 6))
        .containsExactly(
            new Computed(2, 1, 1),
            new Computed(0, 0, 1),
            new Computed(4, 2, 2),
            new Computed(0, 0, 2),
            new Computed(8, 4, 4),
            new Computed(0, 0, 4));
  }

  /** A millisecond for each item of each stage. */
  private LatencyCurve rehearse(int maxBatch, Duration limit) {
    return new Rehearsal(
            this::infer, (_, count) -> new float[count], 1, maxBatch, known::clear, limit)
        .run(RehearsalTest::input);
  }

  private static ModelInput input(int number) {
    return new ModelInput(
        List.of(picture("top", 2 * number), picture("wrist", 2 * number + 1)),
        new int[] {1},
        new float[] {0});
  }

  private static ModelInput.Image picture(String camera, int number) {
    return new ModelInput.Image(camera, new float[] {number});
  }

  private Inference infer(List<Sample> batch) {
    int images = 0;
    int prefixes = 0;
    for (Sample sample : batch) {
      List<PixelDigest> pictures =
          sample.input().images().stream().map(ModelInput.Image::digest).toList();
      images += (int) pictures.stream().filter(known::add).count();
      prefixes += known.add(pictures) ? 1 : 0;
    }
    Computed computed = new Computed(images, prefixes, batch.size());
    batches.add(computed);
    return new Inference(
        batch.stream().map(_ -> new float[1]).toList(),
        Duration.ofMillis(images),
        Duration.ofMillis(prefixes),
        Duration.ofMillis(batch.size()),
        computed,
        Collections.nCopies(batch.size(), Reuse.NONE));
  }
}
