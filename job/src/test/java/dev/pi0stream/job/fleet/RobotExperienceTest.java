package dev.pi0stream.job.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.run.Latencies;
import dev.pi0stream.schemas.OutcomeKind;
import org.junit.jupiter.api.Test;

class RobotExperienceTest {
  /** Ten ticks a second, chunks of five steps, stale after 300 ms. */
  private static final long MILLI = 1_000_000;

  private static final int HORIZON = 5;

  private final Latencies ages = new Latencies();
  private final RobotExperience robot = new RobotExperience(100 * MILLI, 300 * MILLI, ages);

  @Test
  void aRobotThatAlwaysHasAFreshActionNeverStarves() {
    for (int i = 0; i < 10; i++) {
      sent("e", i);
      chunk("e", i, 200L * i, 200L * i + 50);
    }
    robot.finish(2050 * MILLI);
    RobotFigures figures = robot.figures("arm");
    assertThat(figures.ticks()).isEqualTo(20);
    assertThat(figures.starvedTicks()).isZero();
    assertThat(figures.staleTicks()).isZero();
    assertThat(figures.longestGapMillis()).isEqualTo(200);
    assertThat(ages.since(0).p99()).isEqualTo(50);
    assertThat(robot.isSettled()).isTrue();
  }

  @Test
  void ticksBehindTheLastStepAreStarvedAndTheLastStepsAreStale() {
    sent("e", 0);
    // Steps until 500; ticks at 0, 100, …; those until 300 are fresh.
    chunk("e", 0, 0, 0);
    robot.finish(1000 * MILLI);
    RobotFigures figures = robot.figures("arm");
    assertThat(figures.ticks()).isEqualTo(10);
    assertThat(figures.starvedTicks()).isEqualTo(5);
    assertThat(figures.staleTicks()).isEqualTo(1);
    assertThat(figures.longestGapMillis()).isEqualTo(1000);
  }

  @Test
  void aChunkThatIsOverdueOnArrivalHelpsNobody() {
    sent("e", 0);
    chunk("e", 0, 0, 700);
    robot.finish(1000 * MILLI);
    assertThat(robot.figures("arm").overdueChunks()).isEqualTo(1);
    assertThat(robot.figures("arm").starvedTicks()).isEqualTo(3);
  }

  @Test
  void anOlderChunkAndOneOfAnotherEpisodeAreNotPlayed() {
    sent("e", 0);
    sent("e", 1);
    sent("old", 9);
    chunk("e", 1, 100, 150);
    chunk("e", 0, 0, 200);
    robot.arrived("old", 9, false, 0, HORIZON, 250 * MILLI);
    robot.finish(650 * MILLI);
    RobotFigures figures = robot.figures("arm");
    assertThat(figures.outdatedChunks()).isEqualTo(2);
    assertThat(figures.chunks()).isEqualTo(3);
    // Ticks at 150, 250, 350, 450, 550; steps until 600.
    assertThat(figures.ticks()).isEqualTo(5);
    assertThat(figures.starvedTicks()).isZero();
  }

  @Test
  void aRobotThatIsOffHasNoTicks() {
    sent("e", 0);
    chunk("e", 0, 0, 0);
    robot.poweredOff(300 * MILLI);
    sent("f", 0);
    chunk("f", 0, 5000, 5000);
    robot.finish(5300 * MILLI);
    RobotFigures figures = robot.figures("arm");
    assertThat(figures.ticks()).isEqualTo(6);
    assertThat(figures.starvedTicks()).isZero();
    assertThat(figures.restarts()).isEqualTo(1);
  }

  @Test
  void everyObservationEndsOnceAndTheRestIsMissing() {
    sent("e", 0);
    sent("e", 1);
    sent("e", 2);
    robot.ended("e", 0, OutcomeKind.SUPERSEDED);
    robot.ended("e", 0, OutcomeKind.SUPERSEDED);
    robot.ended("e", 1, OutcomeKind.EXPIRED);
    RobotFigures figures = robot.figures("arm");
    assertThat(figures.superseded()).isEqualTo(1);
    assertThat(figures.expired()).isEqualTo(1);
    assertThat(figures.repeats()).isEqualTo(1);
    assertThat(figures.missing()).isEqualTo(1);
    assertThat(robot.isSettled()).isFalse();
  }

  @Test
  void afterTheEndAnswersAreCountedAndNothingElse() {
    sent("e", 0);
    robot.finish(100 * MILLI);
    chunk("e", 0, 0, 5000);
    assertThat(robot.figures("arm").chunks()).isEqualTo(1);
    assertThat(robot.figures("arm").ticks()).isZero();
    assertThat(robot.isSettled()).isTrue();
  }

  private void sent(String episode, long sequence) {
    robot.sent(episode, sequence);
  }

  private void chunk(String episode, long sequence, long observed, long at) {
    robot.arrived(episode, sequence, true, observed * MILLI, HORIZON, at * MILLI);
  }
}
