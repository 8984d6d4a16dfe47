package dev.pi0stream.tests.simulator;

import dev.pi0stream.model.engine.Alarm;
import dev.pi0stream.model.engine.EngineSettings;
import dev.pi0stream.model.engine.FewestStarved;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.PolicyEngine;
import dev.pi0stream.model.engine.PolicyOutcome;
import dev.pi0stream.model.engine.Reuse;
import dev.pi0stream.model.engine.Surroundings;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.policy.PolicyAnswer;
import dev.pi0stream.operators.session.ResolvedObservation;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/** The job over all its attempts: checkpoints, failures, restarts, and the engine that stays. */
final class SimulatedJob {
  private static final Duration HANGS = Duration.ofSeconds(3);
  private static final int MAX_BATCH = 4;
  private static final DeviceCosts COSTS = new DeviceCosts(4_000, 3_000, 6_000, 1_000);

  private final VirtualTime time;
  private final SplittableRandom random;
  private final SimulatedBroker broker;
  private final Mutant mutant;
  private Checkpoint restored = Checkpoint.empty();
  private Attempt attempt;
  private PolicyEngine engine;
  private SimulatedDevice device;
  private long checkpoints;
  private int restarts;

  /** How many outcomes, or what else the mutant is about, still pass before it strikes; once. */
  private int mutantStrikesAfter;

  SimulatedJob(VirtualTime time, SplittableRandom random, SimulatedBroker broker, Mutant mutant) {
    this.time = time;
    this.random = random;
    this.broker = broker;
    this.mutant = mutant;
    mutantStrikesAfter = random.nextInt(30);
    start();
  }

  VirtualTime time() {
    return time;
  }

  SplittableRandom random() {
    return random;
  }

  SimulatedBroker broker() {
    return broker;
  }

  int restarts() {
    return restarts;
  }

  long checkpoints() {
    return checkpoints;
  }

  /** There may be something to read. */
  void wake() {
    if (attempt != null) {
      attempt.wakeSource();
    }
  }

  void checkpoint() {
    if (attempt != null) {
      attempt.checkpoint(new Barrier(checkpoints++, random.nextBoolean()));
    }
  }

  void completed(Checkpoint checkpoint) {
    restored = checkpoint;
  }

  /** A task of an attempt has failed. */
  void fail(Attempt failed) {
    if (attempt == failed) {
      kill();
    }
  }

  /** Ends the running attempt wherever it is, and starts another some time later. */
  void kill() {
    if (attempt == null) {
      return;
    }
    Attempt dead = attempt;
    attempt = null;
    List<SimulatedBroker.Message> left = dead.die(random.nextInt(3));
    if (mutant == Mutant.SESSIONS_FROM_THE_FUTURE) {
      restored =
          new Checkpoint(
              restored.offsets(),
              Checkpoint.copy(dead.sessions()),
              restored.inFlight(),
              restored.overtaken(),
              restored.answered());
    }
    if (mutant == Mutant.OLD_GENERATION) {
      time.after(Duration.ofSeconds(5), () -> left.forEach(message -> broker.write(message, true)));
    }
    restarts++;
    time.within(100_000, 1_000_000, this::start);
  }

  private void start() {
    if (engine == null || engine.hasEnded()) {
      device = new SimulatedDevice(time, random, COSTS);
      Alarm alarm = mutant == Mutant.FORGET_ALARM ? (_, _) -> () -> {} : time;
      engine =
          new PolicyEngine(
              device,
              new IdentityNoise(0),
              new Surroundings(time, alarm, device, task -> time.within(50, 3_000, task)),
              new EngineSettings(MAX_BATCH, device.overhear(new FewestStarved()), HANGS),
              COSTS.rehearsed(1, 2));
    }
    if (mutant == Mutant.SWAP_ROWS) {
      device.swapRowsOfNextBatch();
    }
    attempt = new Attempt(this, restored, engine);
  }

  void failDevice() {
    device.failNextBatch();
  }

  void hangDevice() {
    device.hangWithNextBatch();
  }

  // ------------------------------------------------------------------ mutants

  /** How often the next outcome is written. */
  int copies() {
    if (mutant == Mutant.DROP_ONE && strikes()) {
      return 0;
    }
    return mutant == Mutant.REPEAT_ONE && strikes() ? 2 : 1;
  }

  boolean isLosingInFlight() {
    return mutant == Mutant.LOSE_IN_FLIGHT;
  }

  boolean servesSuperseded() {
    return mutant == Mutant.SERVE_SUPERSEDED;
  }

  /** The chunk of an observation that the engine did not serve. */
  Outcome serveAlone(ResolvedObservation resolved) {
    Observation observation =
        new Observation(resolved.frames(), resolved.state(), resolved.prompt());
    SimulatedPolicy policy = new SimulatedPolicy();
    Sample sample =
        new Sample(
            policy.prepare(observation),
            new IdentityNoise(0).draw(resolved.id(), policy.noiseSize()),
            null);
    float[] actions = policy.infer(List.of(sample)).x().getFirst();
    return PolicyAnswer.of(
        resolved,
        new PolicyOutcome.Chunk(
            policy.horizon(),
            policy.actionDimensions(),
            actions,
            0,
            new PolicyOutcome.Timing(1, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO),
            Reuse.NONE),
        policy,
        time.instant());
  }

  private boolean strikes() {
    return mutantStrikesAfter-- == 0;
  }
}
