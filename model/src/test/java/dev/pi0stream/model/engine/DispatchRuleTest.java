package dev.pi0stream.model.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.model.engine.DispatchRule.Candidate;
import dev.pi0stream.model.engine.DispatchRule.Choice;
import dev.pi0stream.model.engine.ServedPolicy.Computed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DispatchRuleTest {
  private static final Instant NOW = Instant.EPOCH.plusSeconds(100);
  private static final Work FULL = new Work(2, true);

  /** 20 ms for each picture, 10 for each prefix, 10 + 2 for each row. */
  private final LatencyCurve curve = curve();

  @Test
  void fewestStarvedTakesAllThatFitWhenNobodyStarves() {
    List<Candidate> waiting =
        List.of(waits("a", 5, Work.STATE_ONLY), waits("b", 4, Work.STATE_ONLY));
    assertThat(chosen(new FewestStarved(), waiting, 8)).containsExactly("a", "b");
  }

  @Test
  void fewestStarvedLetsQuickWorkGoBeforeSlow() {
    List<Candidate> waiting = new ArrayList<>();
    waiting.add(waits("slow-1", 6, FULL));
    waiting.add(waits("slow-2", 6, FULL));
    for (int i = 0; i < 4; i++) {
      waiting.add(waits("quick-" + i, 5, Work.STATE_ONLY));
    }
    assertThat(chosen(new FewestStarved(), waiting, 8))
        .containsExactly("quick-0", "quick-1", "quick-2", "quick-3");
  }

  @Test
  void fewestStarvedDoesNotPassOverWhoHasWaitedLong() {
    List<Candidate> waiting =
        List.of(waits("slow", 2000, FULL), waits("quick", 5, Work.STATE_ONLY));
    assertThat(chosen(new FewestStarved(), waiting, 8)).contains("slow");
  }

  @Test
  void fewestStarvedMakesABatchSmallerForADeadlineThatALargeOneWouldMiss() {
    List<Candidate> waiting =
        List.of(
            due("hurried", 70, FULL), due("relaxed-1", 4000, FULL), due("relaxed-2", 4000, FULL));
    // One takes 62 ms, two take 114.
    assertThat(chosen(new FewestStarved(), waiting, 8)).containsExactly("hurried");
  }

  @Test
  void fewestStarvedGivesUpADeadlineThatNobodyCanKeep() {
    List<Candidate> waiting = List.of(due("hopeless", 5, FULL), due("saved", 20, Work.STATE_ONLY));
    assertThat(chosen(new FewestStarved(), waiting, 8)).containsExactly("saved");
  }

  @Test
  void fewestStarvedKnowsNothingYetAndServesThoseFirstWhoStarveFirst() {
    List<Candidate> waiting =
        List.of(waits("old", 9, FULL), waits("young", 1, FULL), due("due", 50, FULL));
    assertThat(
            new FewestStarved()
                .choose(waiting, NOW, new LatencyCurve(), 2).batch().stream().map(Candidate::robot))
        .containsExactly("due", "old");
  }

  @Test
  void everyRuleStaysWithinTheLargestBatchAndRepeatsNobody() {
    List<Candidate> waiting = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Work work = i % 3 == 0 ? FULL : Work.STATE_ONLY;
      waiting.add(i % 2 == 0 ? waits("r" + i, 300 + i, work) : due("r" + i, i, work));
    }
    for (DispatchRule rule :
        List.of(
            new FewestStarved(),
            new FirstInFirstOut(),
            new EarliestDeadline(),
            new SizeOrTimer(Duration.ofMillis(10)))) {
      Choice choice = rule.choose(waiting, NOW, curve, 8);
      assertThat(choice.batch())
          .as("%s", rule)
          .hasSizeBetween(1, 8)
          .doesNotHaveDuplicates()
          .isSubsetOf(waiting);
    }
  }

  @Test
  void firstInFirstOutLooksAtNothingElse() {
    List<Candidate> waiting =
        List.of(waits("b", 5, FULL), waits("a", 9, Work.STATE_ONLY), due("c", 1, FULL));
    assertThat(chosen(new FirstInFirstOut(), waiting, 2)).containsExactly("a", "b");
  }

  @Test
  void earliestDeadlineTakesThemByDeadline() {
    List<Candidate> waiting =
        List.of(waits("b", 5, FULL), due("a", 9, Work.STATE_ONLY), due("c", 1, FULL));
    assertThat(chosen(new EarliestDeadline(), waiting, 2)).containsExactly("c", "a");
  }

  @Test
  void sizeOrTimerWaitsForOneOfTheTwo() {
    SizeOrTimer rule = new SizeOrTimer(Duration.ofMillis(10));
    Choice choice = rule.choose(List.of(waits("a", 4, FULL)), NOW, curve, 2);
    assertThat(choice.batch()).isEmpty();
    assertThat(choice.again()).isEqualTo(NOW.plusMillis(6));
    assertThat(chosen(rule, List.of(waits("a", 10, FULL)), 2)).containsExactly("a");
    assertThat(chosen(rule, List.of(waits("a", 1, FULL), waits("b", 0, FULL)), 2))
        .containsExactly("a", "b");
  }

  @Test
  void theCurveKnowsWhatLiesBetweenAndBeyondWhatItHasSeen() {
    assertThat(curve.estimate(new Computed(0, 0, 3))).isEqualTo(Duration.ofMillis(16));
    assertThat(curve.estimate(new Computed(3, 2, 6))).isEqualTo(Duration.ofMillis(102));
    assertThat(curve.estimate(new Computed(32, 16, 16))).isEqualTo(Duration.ofMillis(842));
    assertThat(curve.estimate(new Computed(0, 0, 0))).isEqualTo(Duration.ZERO);
  }

  @Test
  void theCurveFollowsTheDevice() {
    for (int i = 0; i < 60; i++) {
      curve.learn(new Computed(0, 0, 4), Duration.ZERO, Duration.ZERO, Duration.ofMillis(40));
    }
    assertThat(curve.estimate(new Computed(0, 0, 4)).toMillis()).isBetween(39L, 40L);
  }

  private List<String> chosen(DispatchRule rule, List<Candidate> waiting, int maxBatch) {
    return rule.choose(waiting, NOW, curve, maxBatch).batch().stream()
        .map(Candidate::robot)
        .toList();
  }

  private static Candidate waits(String robot, int millis, Work work) {
    return new Candidate(robot, NOW.minusMillis(millis), null, work);
  }

  private static Candidate due(String robot, int millis, Work work) {
    return new Candidate(robot, NOW, NOW.plusMillis(millis), work);
  }

  private static LatencyCurve curve() {
    LatencyCurve curve = new LatencyCurve();
    for (int rows : new int[] {1, 2, 4, 8}) {
      curve.learn(
          new Computed(2 * rows, rows, rows),
          Duration.ofMillis(40L * rows),
          Duration.ofMillis(10L * rows),
          Duration.ofMillis(10 + 2L * rows));
    }
    return curve;
  }
}
