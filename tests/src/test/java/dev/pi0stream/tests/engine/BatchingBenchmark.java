package dev.pi0stream.tests.engine;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.RandomWeights;
import dev.pi0stream.model.engine.DispatchRule;
import dev.pi0stream.model.engine.EngineSettings;
import dev.pi0stream.model.engine.FewestStarved;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.LatencyCurve;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.model.engine.PolicyEngine;
import dev.pi0stream.model.engine.PolicyOutcome;
import dev.pi0stream.model.engine.PolicyRequest;
import dev.pi0stream.model.engine.ResidentPolicy;
import dev.pi0stream.model.engine.ReuseBudget;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.engine.Surroundings;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.processor.Observation;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Chunks a second of many robots on one device: one at a time, and as many at a time as the engine
 * takes. Only states are new. The two take turns in one process; {@code benchmarks/run.sh batching}
 * runs it, and docs/dispatch.md says what came of it.
 *
 * <p>Arguments: the policy, a checkpoint's folder, {@code pi0} or {@code pi05}, the latter two made
 * up in memory; and as many of {@code precision=}, {@code horizon=}, {@code robots=}, {@code
 * seconds=} (of a turn), {@code turns=} as are to be other than fp32, 50, 16, 5 and 5. The horizon
 * of a checkpoint is its own.
 *
 * <p>A robot's next observation comes while its last one is computed, as from robots that send more
 * often than they can be served: the engine always has one of each that waits.
 */
final class BatchingBenchmark {
  private static final int CAMERAS = 3;

  private final ServedPolicy policy;
  private final int robots;
  private final Duration turn;
  private final ExecutorService device;
  private final ExecutorService preparation =
      Executors.newFixedThreadPool(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
  private final Map<String, Frame> frames = new HashMap<>();
  private final AtomicLong sequence = new AtomicLong();

  private BatchingBenchmark(
      ServedPolicy policy, ExecutorService device, int robots, Duration turn) {
    this.policy = policy;
    this.device = device;
    this.robots = robots;
    this.turn = turn;
    for (int robot = 0; robot < robots; robot++) {
      for (String camera : policy.cameras()) {
        byte[] pixels = new byte[112 * 112 * 3];
        new Random(frames.size()).nextBytes(pixels);
        frames.put(camera + robot, Frame.rgb(112, 112, pixels));
      }
    }
  }

  /** Measures and prints. */
  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 1; i < arguments.length; i++) {
      String[] option = arguments[i].split("=", 2);
      options.put(option[0], option[1]);
    }
    String name = arguments.length == 0 ? "examples/checkpoint" : arguments[0];
    Precision precision = Precision.parse(options.getOrDefault("precision", "fp32"));
    int robots = Integer.parseInt(options.getOrDefault("robots", "16"));
    int horizon = Integer.parseInt(options.getOrDefault("horizon", "50"));
    int turns = Integer.parseInt(options.getOrDefault("turns", "5"));
    Duration turn = Duration.ofSeconds(Long.parseLong(options.getOrDefault("seconds", "5")));
    ExecutorService thread = Executors.newSingleThreadExecutor();
    Loaded loaded = thread.submit(() -> load(name, precision, horizon, robots)).get();
    try {
      new BatchingBenchmark(loaded.policy, thread, robots, turn).measure(turns);
    } finally {
      thread
          .submit(
              () -> {
                loaded.free.call();
                return null;
              })
          .get();
      thread.shutdown();
    }
  }

  /** A policy, and what frees it on the device's thread. */
  private record Loaded(ServedPolicy policy, Callable<Void> free) {}

  private static Loaded load(String name, Precision precision, int horizon, int robots) {
    Device device = Devices.open("cpu", precision);
    if (!name.equals("pi0") && !name.equals("pi05")) {
      try (Checkpoint checkpoint = Checkpoint.open(Path.of(name))) {
        ResidentPolicy policy = ResidentPolicy.load(checkpoint, device, ReuseBudget.of(1L << 30));
        return new Loaded(
            policy,
            () -> {
              policy.close();
              return null;
            });
      }
    }
    RandomWeights.Size size = RandomWeights.Size.valueOf(name.toUpperCase(Locale.ROOT));
    try (RandomWeights weights = RandomWeights.of(size, CAMERAS, horizon, 1)) {
      Policy policy = Policy.load(weights, device);
      StateOnlyPolicy served = new StateOnlyPolicy(policy, CAMERAS, robots);
      return new Loaded(
          served,
          () -> {
            served.close();
            policy.close();
            device.close();
            return null;
          });
    }
  }

  private void measure(int turns) throws Exception {
    try {
      System.out.printf(
          "%s, horizon %d, %d robots, turns of %d s%n",
          policy.deviceLabel(), policy.horizon(), robots, turn.toSeconds());
      serve(1);
      serve(robots);
      System.out.println("| turn | alone | together | rows of a batch | gain |");
      System.out.println("|---|---:|---:|---:|---:|");
      double alone = 0;
      double together = 0;
      double batch = 0;
      for (int i = 1; i <= turns; i++) {
        Served one = serve(1);
        Served many = serve(robots);
        print(Integer.toString(i), one.perSecond, many.perSecond, many.batch);
        alone += one.perSecond / turns;
        together += many.perSecond / turns;
        batch += many.batch / turns;
      }
      print("mean", alone, together, batch);
    } finally {
      preparation.shutdown();
    }
  }

  private static void print(String what, double alone, double together, double batch) {
    System.out.printf(
        Locale.ROOT,
        "| %s | %.2f /s | %.2f /s | %.1f | %.2f |%n",
        what,
        alone,
        together,
        batch,
        together / alone);
  }

  private record Served(double perSecond, double batch) {}

  /** A turn: robots that always have a request that waits, at an engine of its own. */
  private Served serve(int maxBatch) throws Exception {
    Robots served = new Robots(maxBatch);
    return served.live();
  }

  private final class Robots implements DispatchRule {
    private final DispatchRule usual = new FewestStarved();
    private final AtomicLong chunks = new AtomicLong();
    private final AtomicLong batches = new AtomicLong();
    private final PolicyEngine engine;
    private volatile boolean counting;
    private volatile String refusal;

    Robots(int maxBatch) {
      engine =
          new PolicyEngine(
              policy,
              new IdentityNoise(0),
              new Surroundings(
                  InstantSource.system(),
                  (_, _) -> () -> {},
                  device,
                  preparation,
                  batch -> {
                    if (counting) {
                      batches.incrementAndGet();
                      chunks.addAndGet(batch.rows());
                    }
                  }),
              new EngineSettings(maxBatch, this, Duration.ofMinutes(1)),
              new LatencyCurve());
    }

    /** Robots whose requests begin send the next ones. */
    @Override
    public Choice choose(List<Candidate> waiting, Instant now, LatencyCurve curve, int maxBatch) {
      Choice choice = usual.choose(waiting, now, curve, maxBatch);
      choice
          .batch()
          .forEach(begun -> preparation.execute(() -> submit(Integer.parseInt(begun.robot()))));
      return choice;
    }

    private void submit(int robot) {
      long number = sequence.incrementAndGet();
      Map<String, Frame> own = new HashMap<>();
      for (String camera : policy.cameras()) {
        own.put(camera, frames.get(camera + robot));
      }
      float[] state = new float[policy.stateDimensions()];
      state[state.length - 1] = 0.001f * (number % 1000);
      state[0] = robot;
      var _ =
          engine
              .submit(
                  new PolicyRequest(
                      new ObservationId(Integer.toString(robot), "episode", number),
                      new Observation(own, state, "put the red block on the white tray"),
                      null,
                      null))
              .whenComplete(
                  (outcome, _) -> {
                    if (outcome instanceof PolicyOutcome.Rejected rejected) {
                      refusal = rejected.reason();
                    }
                  });
    }

    Served live() throws Exception {
      for (int robot = 0; robot < robots; robot++) {
        submit(robot);
      }
      // The first batches see pictures, and are as small as what has come by then.
      Thread.sleep(Math.min(1000, turn.toMillis() / 4));
      counting = true;
      long begun = System.nanoTime();
      Thread.sleep(turn);
      counting = false;
      double seconds = (System.nanoTime() - begun) / 1e9;
      engine.close();
      // Behind the batch that still runs.
      device.submit(() -> {}).get();
      if (refusal != null) {
        throw new IllegalStateException(refusal);
      }
      return new Served(chunks.get() / seconds, (double) chunks.get() / batches.get());
    }
  }
}
