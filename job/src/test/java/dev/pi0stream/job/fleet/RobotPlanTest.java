package dev.pi0stream.job.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.job.graph.KafkaSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RobotPlanTest {
  private static final FleetSettings.Rhythm RHYTHM =
      new FleetSettings.Rhythm(
          10, 5, Duration.ofMillis(100), Duration.ofMillis(300), 6, Optional.empty());

  @Test
  void theSameSeedGivesTheSameActs() {
    assertThat(acts(RHYTHM, 7, 500)).isEqualTo(acts(RHYTHM, 7, 500));
    assertThat(acts(RHYTHM, 7, 500)).isNotEqualTo(acts(RHYTHM, 8, 500));
  }

  @Test
  void actsComeInOrderAndSequencesGrowWithinAnEpisode() {
    long last = 0;
    int episode = 0;
    long sequence = 0;
    for (RobotAct act : acts(RHYTHM, 3, 1000)) {
      assertThat(act.at()).isGreaterThanOrEqualTo(last);
      last = act.at();
      switch (act) {
        case RobotAct.Observe observe -> {
          assertThat(observe.episode()).isEqualTo(episode);
          assertThat(observe.sequence()).isEqualTo(sequence);
          assertThat(observe.pictures()).isEqualTo(sequence % 5 == 0);
          assertThat(observe.at()).isGreaterThanOrEqualTo(observe.observedAt());
          sequence++;
        }
        case RobotAct.PowerOff _ -> {
          episode++;
          sequence = 0;
        }
      }
    }
    assertThat(episode).as("restarts in a hundred seconds at six a minute").isBetween(3, 25);
  }

  @Test
  void aRateIsARobotsOwnAndUpToATenthFromTheFleets() {
    FleetSettings.Rhythm steady =
        new FleetSettings.Rhythm(10, 1, Duration.ofMillis(100), Duration.ZERO, 0, Optional.empty());
    List<Long> periods = new ArrayList<>();
    for (int seed = 0; seed < 20; seed++) {
      List<RobotAct> acts = acts(steady, seed, 3);
      periods.add(acts.get(2).at() - acts.get(1).at());
      assertThat(acts).allMatch(act -> act.at() == ((RobotAct.Observe) act).observedAt());
    }
    assertThat(periods).allMatch(period -> period > 90_000_000 && period < 112_000_000);
    assertThat(periods.stream().distinct().count()).isGreaterThan(15);
  }

  @Test
  void aRobotOfTwiceThePaceDoesEverythingInTwiceTheTime() {
    FleetSettings.Rhythm rhythm =
        new FleetSettings.Rhythm(
            10, 5, Duration.ofMillis(100), Duration.ZERO, 0, Optional.of(Duration.ofSeconds(1)));
    FleetSettings.Rhythm slow = rhythm.slowed(2);
    assertThat(slow.controlPeriod()).isEqualTo(Duration.ofMillis(200));
    assertThat(slow.deadline()).contains(Duration.ofSeconds(2));
    List<RobotAct> fast = acts(rhythm, 3, 20);
    List<RobotAct> slower = acts(slow, 3, 20);
    for (int i = 0; i < fast.size(); i++) {
      assertThat((double) slower.get(i).at()).isCloseTo(2.0 * fast.get(i).at(), within(2.0));
    }
  }

  @Test
  void pacesGoRoundTheRobots() {
    FleetSettings settings =
        new FleetSettings(
            KafkaSettings.defaults("nowhere:1"),
            5,
            Duration.ofSeconds(1),
            new FleetSettings.Body(List.of("top"), 8, 4, "lift"),
            RHYTHM,
            Duration.ofSeconds(1),
            "test",
            1,
            List.of(0.5, 2.0));
    assertThat(settings.rhythm(0)).isEqualTo(RHYTHM.slowed(0.5));
    assertThat(settings.rhythm(3)).isEqualTo(RHYTHM.slowed(2));
    assertThat(settings.rhythm(4)).isEqualTo(RHYTHM.slowed(0.5));
  }

  private static List<RobotAct> acts(FleetSettings.Rhythm rhythm, long seed, int count) {
    RobotPlan plan = new RobotPlan(rhythm, new Random(seed));
    List<RobotAct> acts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      acts.add(plan.next());
    }
    return acts;
  }
}
