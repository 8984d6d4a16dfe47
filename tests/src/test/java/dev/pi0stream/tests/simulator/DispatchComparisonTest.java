package dev.pi0stream.tests.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.model.engine.DispatchRule;
import dev.pi0stream.model.engine.EarliestDeadline;
import dev.pi0stream.model.engine.FewestStarved;
import dev.pi0stream.model.engine.FirstInFirstOut;
import dev.pi0stream.model.engine.SizeOrTimer;
import dev.pi0stream.tests.simulator.DispatchComparison.Curve;
import dev.pi0stream.tests.simulator.DispatchComparison.Experience;
import dev.pi0stream.tests.simulator.DispatchComparison.Workload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rule of the engine against those that other servers have, in starved control ticks. */
class DispatchComparisonTest {
  private static final DispatchRule OURS = new FewestStarved();
  private static final List<DispatchRule> OTHERS =
      List.of(
          new FirstInFirstOut(), new EarliestDeadline(), new SizeOrTimer(Duration.ofMillis(20)));

  @Test
  void fewerTicksAreStarvedThanWithEachOtherRule() {
    for (Curve device : List.of(DispatchComparison.ACCELERATOR, DispatchComparison.PROCESSOR)) {
      for (Workload workload :
          List.of(
              new Workload(device, 24, 1, true),
              new Workload(device, 56, 4, true),
              new Workload(device, 80, 10, true))) {
        double ours = starved(run(OURS, workload, 1));
        for (DispatchRule other : OTHERS) {
          assertThat(ours)
              .as("%s, against %s", workload, other)
              .isLessThan(starved(run(other, workload, 1)));
        }
      }
    }
  }

  /** Prints the table of the documentation. */
  @Test
  @Tag("long")
  void theTableOfAllWorkloadsHoldsForEachOtherRule() {
    List<DispatchRule> rules = new ArrayList<>(OTHERS);
    rules.addFirst(OURS);
    double[] sums = new double[rules.size()];
    for (boolean deadlines : List.of(true, false)) {
      for (Curve device : List.of(DispatchComparison.ACCELERATOR, DispatchComparison.PROCESSOR)) {
        for (int every : List.of(1, 4, 10)) {
          for (int robots :
              every == 1
                  ? List.of(16, 24, 48)
                  : every == 4 ? List.of(40, 56, 72) : List.of(56, 80, 96)) {
            Workload workload = new Workload(device, robots, every, deadlines);
            for (int rule = 0; rule < rules.size(); rule++) {
              List<Experience> runs = run(rules.get(rule), workload, 5);
              System.out.println(DispatchComparison.line(workload, rules.get(rule), runs));
              sums[rule] += starved(runs);
            }
          }
        }
      }
    }
    for (int rule = 1; rule < rules.size(); rule++) {
      assertThat(sums[0]).as("against %s", rules.get(rule)).isLessThan(sums[rule]);
    }
  }

  private static List<Experience> run(DispatchRule rule, Workload workload, int seeds) {
    return LongStream.range(0, seeds)
        .mapToObj(seed -> DispatchComparison.run(rule, workload, seed))
        .toList();
  }

  private static double starved(List<Experience> runs) {
    return DispatchComparison.mean(runs.stream().map(Experience::starved).toList());
  }
}
