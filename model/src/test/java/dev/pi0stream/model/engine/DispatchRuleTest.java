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
  void fewestStarvedServesThoseFirstWhoseChunkIsUsedUpSoon() {
    List<Candidate> waiting =
        List.of(
            fresh("patient", 3000, 4000, FULL),
            fresh("urgent", 10, 1000, FULL),
            fresh("starving", -50, 1000, FULL));
    assertThat(chosen(new FewestStarved(), waiting, 2))
        .containsExactlyInAnyOrder("urgent", "starving");
  }

  @Test
  void fewestStarvedPrefersTheChunkThatLastsLonger() {
    List<Candidate> waiting =
        List.of(fresh("short", -10, 300, FULL), fresh("long", -10, 2000, FULL));
    assertThat(chosen(new FewestStarved(), waiting, 1)).containsExactly("long");
  }

  @Test
  void fewestStarvedDoesNotPassOverWhoHasWaitedLong() {
    Candidate passedOver =
        new Candidate(
            "short", NOW.minusMillis(2000), NOW.plusMillis(300), NOW.minusMillis(9), FULL);
    List<Candidate> waiting = List.of(passedOver, fresh("long", -10, 2000, FULL));
    assertThat(chosen(new FewestStarved(), waiting, 1)).containsExactly("short");
  }

  @Test
  void fewestStarvedTakesADeadlineAtTheEndOfTimeForAMinute() {
    Instant far = Instant.ofEpochSecond(Long.MAX_VALUE / 1_000_000); // the last one on the wire
    Candidate endless = new Candidate("endless", NOW.minusMillis(5), far, null, FULL);
    Candidate old =
        new Candidate("old", Instant.ofEpochSecond(-far.getEpochSecond()), far, far, FULL);
    assertThat(chosen(new FewestStarved(), List.of(endless, old), 1)).containsExactly("endless");
    Candidate longer =
        new Candidate("waited", NOW.minusMillis(90), NOW.plusSeconds(60), null, FULL);
    assertThat(chosen(new FewestStarved(), List.of(endless, longer), 1)).containsExactly("waited");
  }

  @Test
  void fewestStarvedMakesABatchSmallerForARobotThatALargeOneWouldStarve() {
    // One takes 62 ms, three take 166.
    List<Candidate> hurried =
        List.of(
            fresh("hurried", 70, 1000, FULL),
            fresh("relaxed-1", 900, 4000, FULL),
            fresh("relaxed-2", 900, 4000, FULL));
    assertThat(chosen(new FewestStarved(), hurried, 8)).containsExactly("hurried");
    List<Candidate> relaxed =
        List.of(
            fresh("not-hurried", 200, 1000, FULL),
            fresh("relaxed-1", 900, 4000, FULL),
            fresh("relaxed-2", 900, 4000, FULL));
    assertThat(chosen(new FewestStarved(), relaxed, 8)).hasSize(3);
  }

  @Test
  void fewestStarvedLeavesWhatWouldComeTooLateForTheLast() {
    List<Candidate> waiting =
        List.of(fresh("hopeless", -10, 5, FULL), fresh("saved", -10, 500, Work.STATE_ONLY));
    assertThat(chosen(new FewestStarved(), waiting, 1)).containsExactly("saved");
  }

  @Test
  void fewestStarvedTakesTheLongestWaitsWhereRobotsSayNothing() {
    List<Candidate> waiting =
        List.of(waits("young", 1, FULL), waits("old", 90, FULL), waits("middle", 50, FULL));
    assertThat(
            new FewestStarved()
                .choose(waiting, NOW, new LatencyCurve(), 2).batch().stream().map(Candidate::robot))
        .containsExactly("old", "middle");
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
    return new Candidate(robot, NOW.minusMillis(millis), null, null, work);
  }

  private static Candidate due(String robot, int millis, Work work) {
    return new Candidate(robot, NOW, NOW.plusMillis(millis), null, work);
  }

  /** A robot whose last chunk lasts for a time, and the one that it asks for until a deadline. */
  private static Candidate fresh(String robot, int millis, int deadline, Work work) {
    return new Candidate(robot, NOW, NOW.plusMillis(deadline), NOW.plusMillis(millis), work);
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
