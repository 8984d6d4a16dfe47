package dev.pi0stream.job.fleet;

import static org.assertj.core.api.Assertions.assertThat;

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

  private static List<RobotAct> acts(FleetSettings.Rhythm rhythm, long seed, int count) {
    RobotPlan plan = new RobotPlan(rhythm, new Random(seed));
    List<RobotAct> acts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      acts.add(plan.next());
    }
    return acts;
  }
}
