package dev.pi0stream.tests.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The session rules, the engine and the auditor on a virtual clock, with seeded faults. A seed that
 * fails is in the message; {@code -Dpi0.simulator.seed=SEED} runs it alone.
 */
class SimulationTest {
  private static final int FEW = 50;
  private static final int MANY = 10_000;

  /** No mutant may take more. */
  private static final int ENOUGH = 300;

  @Test
  void aHandfulOfSeedsIsClean() {
    Long only = Long.getLong("pi0.simulator.seed");
    if (only != null) {
      clean(only, only + 1);
    } else {
      clean(0, FEW);
    }
  }

  @Test
  @Tag("long")
  void tenThousandSeedsAreClean() {
    clean(0, MANY);
  }

  @Test
  void aSeedRepeatsItself() {
    for (long seed = 0; seed < 5; seed++) {
      assertThat(Simulation.run(seed, Mutant.NONE)).isEqualTo(Simulation.run(seed, Mutant.NONE));
    }
  }

  @Test
  void theSeedsMeetWhatTheyAreMeantToMeet() {
    long repeats = 0;
    Set<Integer> restarts = new HashSet<>();
    long ended = 0;
    for (long seed = 0; seed < FEW; seed++) {
      Simulation.Result result = Simulation.run(seed, Mutant.NONE);
      restarts.add(result.restarts());
      repeats += result.report().repeats();
      if (result.report().chunks() > 0
          && result.report().superseded() > 0
          && result.report().expired() > 0
          && result.report().rejected() > 0) {
        ended++;
      }
    }
    assertThat(repeats).as("answers that a recovery repeated").isPositive();
    assertThat(restarts).as("numbers of restarts").contains(0, 1, 2, 3);
    assertThat(ended).as("seeds in which observations end in all four ways").isPositive();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void everyMutantIsCaught(Mutant mutant) {
    for (long seed = 0; seed < ENOUGH; seed++) {
      Simulation.Result result = Simulation.run(seed, mutant);
      if (!result.isWell()) {
        System.out.printf(
            "%s is caught by seed %d: %s%n",
            mutant, seed, result.describe().lines().findFirst().orElse(""));
        return;
      }
    }
    assertThat(mutant).as("a mutant that lives").isNull();
  }

  private static void clean(long from, long to) {
    for (long seed = from; seed < to; seed++) {
      Simulation.Result result = Simulation.run(seed, Mutant.NONE);
      if (!result.isWell()) {
        assertThat(result.describe())
            .as("seed %d; -Dpi0.simulator.seed=%d repeats it", seed, seed)
            .isNull();
      }
    }
  }
}
