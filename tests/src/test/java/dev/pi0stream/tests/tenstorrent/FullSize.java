package dev.pi0stream.tests.tenstorrent;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.tt.TtDevice;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Traffic;
import dev.pi0stream.job.bench.MadeUpBatch;
import dev.pi0stream.job.bench.Stage;
import dev.pi0stream.job.residency.OperationStream;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.checkpoint.RandomWeights;
import dev.pi0stream.model.engine.ReuseBudget;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A policy of the published size on a mock board: what it takes, which operations a chunk is, and
 * that a chunk which is replayed allocates and compiles nothing. Needs a process of its own.
 */
final class FullSize {
  private static final int STEPS = 10;
  private static final int MOST_CAMERAS = 3;
  private static final int[] BATCHES = {1, 4, 16};

  /** Robots of a batch that is in no table: it makes what all chunks share. */
  private static final int PRIMING = 5;

  /** Replays whose time is taken. */
  private static final int TIMED = 20;

  private final TtDevice device;
  private final MeshDevice chip;
  private final MockMemory memory;
  private final Policy policy;
  private final long weights;
  private final long constants;

  private FullSize(TtDevice device, MockMemory memory, Policy policy) {
    this.device = device;
    this.chip = device.chip();
    this.memory = memory;
    this.policy = policy;
    this.weights = allocated();
    policy.sample(MadeUpBatch.of(policy, 1, tokens(), PRIMING), STEPS);
    this.constants = allocated() - weights - memory.lastingBytes();
  }

  /**
   * Measures all batches and prints the sections of the page on boards.
   *
   * @param arguments board, size; how many layers where that is not all, and there are no sections
   */
  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT);
    String board = arguments[0];
    RandomWeights.Size size = RandomWeights.Size.valueOf(arguments[1].toUpperCase(Locale.ROOT));
    MockMemory memory = new MockMemory(MockChips.module(board, MockChips.REPLAYING));
    long begun = System.nanoTime();
    try (TtDevice device = MockChips.open(board, MockChips.REPLAYING, Precision.BFP8);
        RandomWeights all = RandomWeights.of(size, MOST_CAMERAS, 1);
        Policy policy = Policy.load(some(all, arguments), device)) {
      System.out.printf("loaded in %.0f s%n", (System.nanoTime() - begun) / 1e9);
      FullSize measured = new FullSize(device, memory, policy);
      List<BoardReport.Row> rows = new ArrayList<>();
      for (int batch : BATCHES) {
        for (int cameras = 1; cameras <= MOST_CAMERAS; cameras++) {
          rows.add(measured.row(batch, cameras));
        }
      }
      if (arguments.length < 3) {
        BoardReport report = measured.report(board, arguments[1], rows);
        System.out.print(report.boardSection());
        System.out.print(report.operationsSection());
      }
      System.out.printf("took %.0f s%n", (System.nanoTime() - begun) / 1e9);
    }
  }

  private static PolicyWeights some(RandomWeights weights, String[] arguments) {
    return arguments.length < 3 ? weights : new FewLayers(weights, Integer.parseInt(arguments[2]));
  }

  /** A chunk of one robot with three cameras, with so many layers. */
  static Chunk chunk(TtDevice device, RandomWeights.Size size, int layers) {
    MockMemory memory = new MockMemory(MockChips.module("P300", MockChips.REPLAYING));
    try (RandomWeights all = RandomWeights.of(size, MOST_CAMERAS, 1);
        Policy policy = Policy.load(new FewLayers(all, layers), device)) {
      return new FullSize(device, memory, policy).measure(1, MOST_CAMERAS);
    }
  }

  /**
   * What a chunk is.
   *
   * @param issued what each stage asks the chip to do where nothing is replayed
   * @param replayed what the whole chunk does where all is replayed
   * @param peaks what each stage allocates on top of what is there
   * @param lasting bytes of the places of inputs and of the rooms for results, of these shapes
   * @param hostMicros of Java, CPython and TTNN for each stage that is replayed
   */
  record Chunk(
      Map<Stage, Traffic> issued,
      Traffic replayed,
      Map<Stage, MockMemory.Peak> peaks,
      long lasting,
      Map<Stage, Double> hostMicros) {

    long operations() {
      return issued.values().stream().mapToLong(Traffic::operationCount).sum();
    }

    long calls() {
      return issued.values().stream().mapToLong(Traffic::calls).sum();
    }

    /** The most DRAM that what flows between its operations takes. */
    long activations() {
      return peaks.values().stream().mapToLong(MockMemory.Peak::dram).max().orElseThrow();
    }
  }

  private BoardReport.Row row(int batch, int cameras) {
    try {
      Chunk chunk = measure(batch, cameras);
      System.out.printf(
          "%d × %d: %d operations; host's time for a replay, µs: %s%n",
          batch, cameras, chunk.operations(), chunk.hostMicros());
      return new BoardReport.Row(batch, cameras, chunk, null);
    } catch (DeviceException e) {
      return new BoardReport.Row(batch, cameras, null, e.getMessage());
    }
  }

  private Chunk measure(int batch, int cameras) {
    List<Sample> all = MadeUpBatch.of(policy, cameras, tokens(), 2 * batch);
    List<Sample> some = all.subList(0, batch);
    List<Sample> others = all.subList(batch, 2 * batch);
    long before = memory.lastingBytes();

    // Operation by operation, as what is new.
    Map<Stage, Traffic> issued = new EnumMap<>(Stage.class);
    run(some, new Counting(issued));
    OperationStream expected =
        OperationStream.of(
            policy.config(),
            policy.dimensions(),
            device.precision(),
            cameras,
            tokens(),
            batch,
            STEPS);
    issued.forEach(
        (stage, traffic) ->
            check(
                traffic.operations().equals(expected.counts(stage)),
                "%s is of %s, the performance model has %s"
                    .formatted(stage, traffic.operations(), expected.counts(stage))));
    // What the bodies allocate, when places and rooms are there.
    Map<Stage, MockMemory.Peak> peaks = new EnumMap<>(Stage.class);
    memory.forgetPrograms();
    run(others, new Watching(peaks));
    releaseTraces();
    // Captured once more: nothing in it may be new.
    chip.allowNewPrograms(false);
    run(some, Watch.NONE);
    long lasting = memory.lastingBytes();
    long kept = allocated();
    int tensors = chip.tensors();
    long programs = chip.programs();
    Traffic begun = chip.traffic();
    run(others, Watch.NONE);
    Traffic replayed = chip.traffic().since(begun);
    Map<Stage, Double> micros = replayMicros(some, others);
    chip.allowNewPrograms(true);
    check(chip.programs() == programs, "a program was compiled");
    check(allocated() == kept && memory.lastingBytes() == lasting, "memory stays allocated");
    check(chip.tensors() == tensors, "tensors stay allocated");
    check(replayed.replays() == Stage.values().length, "not every stage is replayed");
    check(replayed.downloads() == 1, "not one download");
    return new Chunk(issued, replayed, peaks, lasting - before, micros);
  }

  private Map<Stage, Double> replayMicros(List<Sample> some, List<Sample> others) {
    Timing timing = new Timing();
    for (int i = 0; i < TIMED; i++) {
      run(i % 2 == 0 ? some : others, timing);
    }
    return timing.micros;
  }

  /** Something that lasts is made, which no trace outlives. */
  private void releaseTraces() {
    device.upload(new float[1], 1, 1).close();
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  // A chunk ---------------------------------------------------------------------------------------

  /** Is told when a stage begins and ends. */
  private interface Watch {
    Watch NONE =
        new Watch() {
          @Override
          public void begin(Stage stage) {}

          @Override
          public void end(Stage stage) {}
        };

    void begin(Stage stage);

    void end(Stage stage);
  }

  private final class Counting implements Watch {
    private final Map<Stage, Traffic> issued;
    private Traffic begun;

    Counting(Map<Stage, Traffic> issued) {
      this.issued = issued;
    }

    @Override
    public void begin(Stage stage) {
      begun = chip.traffic();
    }

    @Override
    public void end(Stage stage) {
      issued.put(stage, chip.traffic().since(begun));
    }
  }

  private final class Watching implements Watch {
    private final Map<Stage, MockMemory.Peak> peaks;

    Watching(Map<Stage, MockMemory.Peak> peaks) {
      this.peaks = peaks;
    }

    @Override
    public void begin(Stage stage) {
      memory.begin();
    }

    @Override
    public void end(Stage stage) {
      peaks.put(stage, memory.end());
    }
  }

  /** Mean microseconds by stage. */
  private static final class Timing implements Watch {
    private final Map<Stage, Double> micros = new EnumMap<>(Stage.class);
    private long begun;

    @Override
    public void begin(Stage stage) {
      begun = System.nanoTime();
    }

    @Override
    public void end(Stage stage) {
      micros.merge(stage, (System.nanoTime() - begun) / 1e3 / TIMED, Double::sum);
    }
  }

  private void run(List<Sample> samples, Watch watch) {
    try (Scope _ = device.scope()) {
      List<ModelInput.Image> images =
          samples.stream().flatMap(sample -> sample.input().images().stream()).toList();
      watch.begin(Stage.VISION);
      List<Device.Rows> seen;
      try {
        seen = policy.see(images);
      } finally {
        watch.end(Stage.VISION);
      }
      List<Policy.PrefixInput> robots = new ArrayList<>();
      int cameras = images.size() / samples.size();
      for (int i = 0; i < samples.size(); i++) {
        List<Device.Rows> own = seen.subList(i * cameras, (i + 1) * cameras);
        robots.add(new Policy.PrefixInput(own, samples.get(i).input().tokens()));
      }
      watch.begin(Stage.PREFIX);
      KeyValues prefix;
      try {
        prefix = policy.prefix(robots);
      } finally {
        watch.end(Stage.PREFIX);
      }
      List<Device.Part> parts =
          IntStream.range(0, samples.size()).mapToObj(i -> new Device.Part(prefix, i)).toList();
      watch.begin(Stage.DENOISE);
      try {
        policy.denoise(parts, samples, STEPS);
      } finally {
        watch.end(Stage.DENOISE);
      }
    }
  }

  // Memory ----------------------------------------------------------------------------------------

  private BoardReport report(String board, String size, List<BoardReport.Row> rows) {
    BoardReport.Row widest =
        rows.stream().filter(row -> row.chunk() != null).reduce((one, next) -> next).orElseThrow();
    try (Scope _ = device.scope()) {
      List<Sample> robot = MadeUpBatch.of(policy, MOST_CAMERAS, tokens(), 1);
      List<Device.Rows> seen = policy.see(robot.getFirst().input().images());
      Policy.PrefixInput input = new Policy.PrefixInput(seen, robot.getFirst().input().tokens());
      List<KeyValues> kept = new ArrayList<>();
      kept.add(policy.prefix(List.of(input)));
      long each = kept.getFirst().bytes();
      long total = chip.memory(Memory.DRAM).totalBytes();
      long fitting = ReuseBudget.OF_DEVICE.bytes(device, each) / each;
      while (kept.size() < fitting) {
        kept.add(policy.prefix(List.of(input)));
      }
      // The greatest batch is still served.
      run(MadeUpBatch.of(policy, widest.cameras(), tokens(), widest.batch()), Watch.NONE);
      long features = ((DeviceResource) seen.getFirst().tensor()).bytes() / seen.size();
      return new BoardReport(
          board,
          size,
          chip.grid(),
          new BoardReport.Dram(total, weights, constants, each, features, fitting),
          rows);
    }
  }

  private long allocated() {
    return chip.memory(Memory.DRAM).allocatedBytes();
  }

  private int tokens() {
    return policy.config().maxTokens();
  }
}
