package dev.pi0stream.job.bench;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Precision;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.checkpoint.WatchedWeights;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Runs a policy on made-up observations and measures. */
public final class Benchmark {
  private static final int LOADING_PERCENT = 10;

  private final Policy policy;
  private final Device device;
  private final BenchSettings settings;
  private final List<Sample> batch;
  private List<Device.Rows> seen;
  private KeyValues prefix;

  private Benchmark(Policy policy, BenchSettings settings) {
    this.policy = policy;
    this.device = policy.device();
    this.settings = settings;
    this.batch = MadeUpBatch.of(policy, settings.cameras(), settings.tokens(), settings.batch());
  }

  /**
   * Measures.
   *
   * @param weights what the result says was loaded
   * @param devices opens the device; and, when that is closed, the one to compare with
   * @param against the precision to compare with; null for none
   * @param progress told what happens, a line each
   */
  public static BenchResult run(
      String weights,
      PolicyWeights source,
      Function<Precision, Device> devices,
      Precision precision,
      Precision against,
      BenchSettings settings,
      Consumer<String> progress) {
    BenchResult result;
    List<float[]> velocities = List.of();
    try (Device device = devices.apply(precision)) {
      long begun = System.nanoTime();
      try (Policy policy = Policy.load(watched(source, progress), device)) {
        double loadSeconds = (System.nanoTime() - begun) / 1e9;
        progress.accept("loaded in %.1f s".formatted(loadSeconds));
        Benchmark benchmark = new Benchmark(policy, settings);
        Timings timings = benchmark.measure(progress);
        Device.Usage usage = device.usage();
        Long peak = ResidentMemory.peakBytes();
        if (against != null) {
          velocities = FirstVelocity.of(policy, benchmark.batch.getFirst().input());
        }
        progress.accept("measuring the matrix products alone");
        result = benchmark.result(weights, timings, loadSeconds, usage, peak);
      }
    }
    if (against == null) {
      return result;
    }
    progress.accept("computing the first velocity in " + against.label());
    try (Device device = devices.apply(against);
        Policy policy = Policy.load(watched(source, progress), device)) {
      ModelInput input = new Benchmark(policy, settings).batch.getFirst().input();
      List<float[]> others = FirstVelocity.of(policy, input);
      return result.compared(against, FirstVelocity.worstCorrelation(velocities, others));
    }
  }

  private static PolicyWeights watched(PolicyWeights source, Consumer<String> progress) {
    return new WatchedWeights(
        source,
        percent -> {
          if (percent % LOADING_PERCENT == 0) {
            progress.accept("loading %3d %%".formatted(percent));
          }
        });
  }

  private Timings measure(Consumer<String> progress) {
    if (settings.scope() != BenchSettings.Scope.FULL) {
      see(settings.cameras());
      read();
    }
    for (int i = 0; i < settings.warmup(); i++) {
      Duration took = run().values().stream().reduce(Duration.ZERO, Duration::plus);
      progress.accept("warm-up %d: %d ms".formatted(i + 1, took.toMillis()));
    }
    Timings timings = new Timings();
    for (int i = 0; i < settings.runs(); i++) {
      timings.add(run());
    }
    release();
    return timings;
  }

  private Map<Stage, Duration> run() {
    Map<Stage, Duration> stages = new EnumMap<>(Stage.class);
    switch (settings.scope()) {
      case FULL -> {
        Policy.Chunks chunks = policy.sample(batch, settings.steps());
        stages.put(Stage.VISION, chunks.vision());
        stages.put(Stage.PREFIX, chunks.prefix());
        stages.put(Stage.DENOISE, chunks.denoise());
      }
      case ONE_CAMERA -> {
        stages.put(Stage.VISION, time(() -> see(1)));
        stages.put(Stage.PREFIX, time(this::read));
        stages.put(Stage.DENOISE, time(this::denoise));
      }
      case STATE -> stages.put(Stage.DENOISE, time(this::denoise));
    }
    return stages;
  }

  private static Duration time(Runnable stage) {
    long begun = System.nanoTime();
    stage.run();
    return Duration.ofNanos(System.nanoTime() - begun);
  }

  /** Looks at the first cameras of every robot and remembers their features. */
  private void see(int cameras) {
    List<ModelInput.Image> images =
        batch.stream().flatMap(sample -> sample.input().images().stream().limit(cameras)).toList();
    List<Device.Rows> features = new ArrayList<>(policy.see(images));
    if (seen == null) {
      seen = features;
      return;
    }
    List<Device.Rows> old = seen;
    seen = new ArrayList<>(old);
    for (int robot = 0; robot < settings.batch(); robot++) {
      for (int camera = 0; camera < cameras; camera++) {
        seen.set(robot * settings.cameras() + camera, features.get(robot * cameras + camera));
      }
    }
    old.stream()
        .map(Device.Rows::tensor)
        .distinct()
        .filter(tensor -> seen.stream().noneMatch(rows -> rows.tensor().equals(tensor)))
        .forEach(tensor -> tensor.close());
  }

  private void read() {
    List<Policy.PrefixInput> robots = new ArrayList<>();
    for (int robot = 0; robot < settings.batch(); robot++) {
      int first = robot * settings.cameras();
      robots.add(
          new Policy.PrefixInput(
              seen.subList(first, first + settings.cameras()), batch.get(robot).input().tokens()));
    }
    KeyValues read = policy.prefix(robots);
    if (prefix != null) {
      prefix.close();
    }
    prefix = read;
  }

  private void denoise() {
    List<Device.Part> parts =
        IntStream.range(0, settings.batch()).mapToObj(i -> new Device.Part(prefix, i)).toList();
    policy.denoise(parts, batch, settings.steps());
  }

  private void release() {
    if (seen != null) {
      seen.stream().map(Device.Rows::tensor).distinct().forEach(tensor -> tensor.close());
    }
    if (prefix != null) {
      prefix.close();
    }
  }

  private BenchResult result(
      String weights, Timings timings, double loadSeconds, Device.Usage usage, Long peak) {
    Work work = Work.of(settings, policy.config(), policy.dimensions());
    Roofline roofline = new Roofline(device);
    Map<Stage, Double> atPeak = new EnumMap<>(Stage.class);
    double operations = 0;
    double productOperations = 0;
    double peakSeconds = 0;
    for (Stage stage : Stage.values()) {
      double seconds = roofline.seconds(work.products(stage));
      atPeak.put(stage, seconds);
      peakSeconds += seconds;
      operations += work.operations(stage);
      for (Work.Product product : work.products(stage)) {
        productOperations += product.operations();
      }
    }
    double seconds = timings.mean() / 1e3;
    return new BenchResult(
        weights,
        device.name(),
        device.precision().label(),
        settings.cameras(),
        settings.tokens(),
        settings.batch(),
        settings.steps(),
        settings.runs(),
        switch (settings.scope()) {
          case FULL -> "everything";
          case ONE_CAMERA -> "one camera, prefix, denoising";
          case STATE -> "denoising";
        },
        timings.mean(),
        timings.percentile(0.5),
        timings.percentile(0.95),
        byStage(timings::mean),
        byStage(stage -> rate(work.operations(stage), timings.mean(stage) / 1e3)),
        byStage(stage -> share(atPeak.get(stage), timings.mean(stage) / 1e3)),
        operations / seconds / 1e12,
        productOperations / peakSeconds / 1e12,
        peakSeconds / seconds,
        loadSeconds,
        usage.weights(),
        usage.values(),
        peak,
        null,
        null);
  }

  private static double rate(double operations, double seconds) {
    return seconds == 0 ? 0 : operations / seconds / 1e12;
  }

  private static double share(double part, double whole) {
    return whole == 0 ? 0 : part / whole;
  }

  private static Map<String, Double> byStage(ToDoubleFunction<Stage> value) {
    Map<String, Double> values = new LinkedHashMap<>();
    for (Stage stage : Stage.values()) {
      values.put(stage.label(), value.applyAsDouble(stage));
    }
    return values;
  }
}
