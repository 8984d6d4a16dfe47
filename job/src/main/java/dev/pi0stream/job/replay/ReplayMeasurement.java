package dev.pi0stream.job.replay;

import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.operators.replay.ReplayLoader;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How much faster a replay is than asking about one observation after the other: both take turns in
 * this process, on the same frames and the same device.
 */
public final class ReplayMeasurement {
  private final ReplaySettings settings;
  private final PolicyLoader loader;
  private final EngineSpec serial;
  private final PolicyLoader serialLoader;
  private final PrintWriter out;

  /**
   * @param loader loads the policy itself for the replay
   * @param serial the engine of the loop
   * @param serialLoader loads the policy itself for the loop
   * @param out takes a line for each round
   */
  public ReplayMeasurement(
      ReplaySettings settings,
      PolicyLoader loader,
      EngineSpec serial,
      PolicyLoader serialLoader,
      PrintWriter out) {
    this.settings = settings;
    this.loader = loader;
    this.serial = serial;
    this.serialLoader = serialLoader;
    this.out = out;
  }

  /**
   * What was measured.
   *
   * @param median of the rounds' ratios
   */
  public record Rates(List<Round> rounds, double median) {}

  /**
   * One turn of each.
   *
   * @param serial chunks a second, one after the other
   * @param replay chunks a second, from the moment the replay's job runs to its end
   * @param engineShare of the replay's time in which the device was busy
   * @param ratio replay / serial
   */
  public record Round(double serial, double replay, double engineShare, double ratio) {}

  /**
   * Measures; a first turn of each that warms the JVM up does not count.
   *
   * @throws Exception one sentence when it cannot start or goes wrong
   */
  public Rates run(int rounds) throws Exception {
    List<Round> measured = new ArrayList<>();
    try (SerialLoop loop = new SerialLoop(settings.with(serial, Optional.empty()), serialLoader)) {
      for (int round = 0; round <= rounds; round++) {
        double one = loop.run();
        ReplayResult.Throughput all = replay();
        Round done =
            new Round(one, all.chunksPerSecond(), all.engineShare(), all.chunksPerSecond() / one);
        out.printf(
            Locale.ROOT,
            "%s one at a time %.1f, replay %.1f chunks a second (device busy %.0f %%): %.2f times%n",
            round == 0 ? "warm-up:" : "round " + round + ":",
            done.serial(),
            done.replay(),
            100 * done.engineShare(),
            done.ratio());
        out.flush();
        if (round > 0) {
          measured.add(done);
        }
      }
    }
    List<Double> ratios = measured.stream().map(Round::ratio).sorted().toList();
    return new Rates(measured, ratios.get(ratios.size() / 2));
  }

  private ReplayResult.Throughput replay() throws Exception {
    return new Replay(
            settings,
            ReplayOutputs.none(),
            new ReplayLoader(loader, settings.seed()),
            new PrintWriter(Writer.nullWriter()),
            false)
        .execute()
        .throughput();
  }
}
