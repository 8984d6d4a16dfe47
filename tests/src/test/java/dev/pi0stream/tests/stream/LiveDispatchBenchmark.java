package dev.pi0stream.tests.stream;

import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.job.fleet.FleetReport;
import dev.pi0stream.job.fleet.FleetSession;
import dev.pi0stream.job.fleet.FleetSettings;
import dev.pi0stream.job.fleet.RobotFigures;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.model.engine.DispatchRule;
import dev.pi0stream.model.engine.EarliestDeadline;
import dev.pi0stream.model.engine.FewestStarved;
import dev.pi0stream.model.engine.FirstInFirstOut;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.SizeOrTimer;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.tests.simulator.DeviceCosts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;

/**
 * What a fleet experiences under each {@link DispatchRule} at the job as it is: broker, cluster and
 * robots are real and in this process, the device only takes the time of a published one. Prints a
 * table of docs/dispatch.md; {@code benchmarks/run.sh live-dispatch} runs it.
 *
 * <p>Arguments: the turns that each rule has, the seconds of a turn, and the numbers of robots; 3,
 * 30, and 56 and 80 unless told. Rules take turns, so that what else the machine does is shared.
 */
@SuppressWarnings("try") // Closing a job may be interrupted; the benchmark ends with it.
final class LiveDispatchBenchmark {
  private static final List<String> CAMERAS = List.of("base", "left", "right");
  private static final int MAX_BATCH = 16;

  /** A chunk of 50 actions lasts a second at the pace 1; each robot asks three times meanwhile. */
  private static final FleetSettings.Rhythm RHYTHM =
      new FleetSettings.Rhythm(
          3,
          10,
          Duration.ofMillis(20),
          Duration.ofMillis(5),
          0,
          Optional.of(Duration.ofSeconds(1)));

  private static final List<Double> PACES = List.of(0.6, 1.0, 2.0);

  private enum Rule {
    FEWEST_STARVED("**fewest starved**"),
    FIRST_IN_FIRST_OUT("first in, first out"),
    EARLIEST_DEADLINE("earliest deadline"),
    SIZE_OR_TIMER("16 or 20 ms");

    private final String label;

    Rule(String label) {
      this.label = label;
    }

    private DispatchRule dispatch() {
      return switch (this) {
        case FEWEST_STARVED -> new FewestStarved();
        case FIRST_IN_FIRST_OUT -> new FirstInFirstOut();
        case EARLIEST_DEADLINE -> new EarliestDeadline();
        case SIZE_OR_TIMER -> new SizeOrTimer(Duration.ofMillis(20));
      };
    }

    /** A stub whose batches this rule chooses. */
    PolicyLoader loader() {
      return _ ->
          new LoadedPolicy(
              new StubPolicy(CAMERAS, DeviceCosts.ACCELERATOR),
              new IdentityNoise(0),
              dispatch(),
              () -> {});
    }
  }

  private LiveDispatchBenchmark() {}

  /** Measures and prints. */
  public static void main(String[] arguments) throws Exception {
    List<Integer> numbers = new ArrayList<>();
    for (String argument : arguments) {
      numbers.add(Integer.parseInt(argument));
    }
    int turns = numbers.isEmpty() ? 3 : numbers.get(0);
    Duration life = Duration.ofSeconds(numbers.size() < 2 ? 30 : numbers.get(1));
    List<Integer> fleets =
        numbers.size() < 3 ? List.of(56, 80) : numbers.subList(2, numbers.size());
    System.out.println(
        "| robots | | starved ticks | worst robot | age p50 | age p99 | chunks/s |\n"
            + "|---|---|---:|---:|---:|---:|---:|");
    for (int robots : fleets) {
      Map<Rule, List<FleetReport>> reports = new EnumMap<>(Rule.class);
      for (int turn = 0; turn < turns; turn++) {
        for (Rule rule : Rule.values()) {
          reports.computeIfAbsent(rule, _ -> new ArrayList<>()).add(live(rule, robots, life, turn));
        }
      }
      reports.forEach((rule, turnsOfRule) -> print(robots, rule, turnsOfRule));
    }
  }

  private static FleetReport live(Rule rule, int robots, Duration life, long seed)
      throws Exception {
    JobSettings settings =
        new JobSettings(
            new EngineSpec("stub", "stub", "fp32", MAX_BATCH).warmedUp(Duration.ofSeconds(1)),
            1,
            4 * robots,
            Duration.ofSeconds(60),
            Duration.ofSeconds(5),
            Duration.ofMinutes(10),
            ObservationLimits.DEFAULT);
    try (ServedJob job =
        new ServedJob(
            (environment, topics) -> PolicyJob.build(environment, settings, topics, rule.loader()),
            1,
            new Configuration())) {
      // The JVM compiles what it runs before anything counts.
      play(job, robots, Duration.ofSeconds(5), "warm", seed);
      FleetReport report = play(job, robots, life, "live", seed);
      AuditReport audit = job.audit();
      if (!audit.isClean() || report.together().missing() > 0) {
        throw new IllegalStateException("%s: %s".formatted(rule, audit.examples()));
      }
      return report;
    }
  }

  private static FleetReport play(
      ServedJob job, int robots, Duration life, String session, long seed) throws Exception {
    return new FleetSession(
            new FleetSettings(
                job.topics(),
                robots,
                life,
                new FleetSettings.Body(CAMERAS, 64, 3, "task"),
                RHYTHM,
                Duration.ofSeconds(1),
                session,
                seed,
                PACES))
        .execute();
  }

  private static void print(int robots, Rule rule, List<FleetReport> turns) {
    double ticks = 0;
    double starved = 0;
    double worst = 0;
    double p50 = 0;
    double p99 = 0;
    double rate = 0;
    for (FleetReport turn : turns) {
      ticks += turn.together().ticks();
      starved += turn.together().starvedTicks();
      for (RobotFigures robot : turn.worst()) {
        worst = Math.max(worst, (double) robot.starvedTicks() / robot.ticks());
      }
      p50 += turn.ageMillis().p50() / turns.size();
      p99 = Math.max(p99, turn.ageMillis().p99());
      rate += turn.together().chunks() / turn.seconds() / turns.size();
    }
    System.out.printf(
        Locale.ROOT,
        "| %d | %s | %.2f %% | %.2f %% | %.0f ms | %.0f ms | %.1f |%n",
        robots,
        rule.label,
        100 * starved / ticks,
        100 * worst,
        p50,
        p99,
        rate);
  }
}
