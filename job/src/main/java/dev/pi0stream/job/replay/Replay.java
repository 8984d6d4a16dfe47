package dev.pi0stream.job.replay;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.job.evaluation.Evaluation;
import dev.pi0stream.job.evaluation.EvaluationReport;
import dev.pi0stream.job.evaluation.JointGroup;
import dev.pi0stream.job.replay.ReplayResult.Against;
import dev.pi0stream.job.replay.ReplayResult.ReplayedPolicy;
import dev.pi0stream.job.replay.ReplayResult.SkippedEpisode;
import dev.pi0stream.job.replay.ReplayResult.Throughput;
import dev.pi0stream.job.run.CameraMapping;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.processor.Processor;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.StepRange;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.operators.replay.EpisodeSelection;
import dev.pi0stream.schemas.OutcomeKind;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;

/**
 * One replay of a dataset: reads what was logged, has the job answer every step, proves that none
 * is missing and none twice, and compares.
 */
public final class Replay {
  private final ReplaySettings settings;
  private final ReplayOutputs outputs;
  private final PolicyLoader loader;
  private final PrintWriter out;
  private final boolean terminal;
  private final CountDownLatch stop = new CountDownLatch(1);

  /**
   * A replay.
   *
   * @param loader loads policies to their devices, with the noise of a replay
   * @param out takes what a person wants to know while it runs
   * @param terminal whether a person looks at {@code out} on a terminal
   */
  public Replay(
      ReplaySettings settings,
      ReplayOutputs outputs,
      PolicyLoader loader,
      PrintWriter out,
      boolean terminal) {
    this.settings = settings;
    this.outputs = outputs;
    this.loader = loader;
    this.out = out;
    this.terminal = terminal;
  }

  /** Stops it; with a work folder it goes on there another time. */
  public void stop() {
    stop.countDown();
  }

  /**
   * Replays.
   *
   * @throws ReplayStoppedException when it was stopped
   * @throws Exception one sentence when it cannot start or goes wrong
   */
  public ReplayResult execute() throws Exception {
    try (Scratch scratch = Scratch.of(settings.work())) {
      return Recording.isOne(settings.source())
          ? recording(scratch.root())
          : dataset(scratch.root());
    }
  }

  // ------------------------------------------------------------------ datasets

  private ReplayResult dataset(Path root) throws Exception {
    Asked policy = asked(settings.engine());
    try (LeRobotDataset dataset = LeRobotDataset.openWithDefects(settings.source())) {
      CameraMapping cameras = cameras(policy, dataset, settings.engine());
      StepRange steps = settings.window().steps(dataset.fps());
      DatasetLog log = DatasetLog.read(dataset, settings.episodes());
      List<Episode> episodes =
          log.episodes().stream().filter(e -> steps.count(e.length()) > 0).toList();
      requireEpisodes(log, episodes);
      outputs.check(dataset.root(), log.skipped().isEmpty() && dataset.defects().isEmpty());
      describe(policy, dataset, cameras, log, episodes, steps);

      EpisodeSelection selection = selection(dataset, cameras, episodes, steps);
      long frames = episodes.stream().mapToLong(e -> steps.count(e.length())).sum();
      Computed first = compute(settings, policy, selection, root, frames);
      Computed second = null;
      Asked other = null;
      if (outputs.against().isPresent()) {
        other = asked(outputs.against().get());
        cameras(other, dataset, outputs.against().get());
        out.printf("against     %s%n", outputs.against().get().checkpoint());
        second =
            compute(
                settings.with(outputs.against().get(), Optional.empty()),
                other,
                selection,
                root.resolve("against"),
                frames);
      }
      try (ChunkTable table = ChunkTable.create(root.resolve("chunks.duckdb"))) {
        Map<Integer, String> skipped = new TreeMap<>(log.skipped());
        table.load(ChunkTable.Set.REPLAYED, first.chunks(), true);
        skipped.putAll(first.outcomes().skipped());
        if (second != null) {
          table.load(ChunkTable.Set.OTHER, second.chunks(), true);
          skipped.putAll(second.outcomes().skipped());
        }
        for (int episode : skipped.keySet()) {
          table.drop(episode);
        }
        List<Episode> whole =
            episodes.stream().filter(e -> !skipped.containsKey(e.index())).toList();
        if (whole.isEmpty()) {
          throw new IllegalArgumentException(
              "no episode can be replayed: " + skipped.values().iterator().next());
        }
        if (outputs.againstLog().isPresent()) {
          table.load(ChunkTable.Set.LIVE, Recording.chunkFiles(outputs.againstLog().get()), false);
        }
        Evaluations evaluations = new Evaluations(table, dataset, log, whole, steps);
        EvaluationReport report = evaluations.of(ChunkTable.Set.REPLAYED);
        long wanted = whole.stream().mapToLong(e -> steps.count(e.length())).sum();
        requireAll(table, ChunkTable.Set.REPLAYED, first.outcomes(), wanted);
        Against against = null;
        if (second != null) {
          requireAll(table, ChunkTable.Set.OTHER, second.outcomes(), wanted);
          against =
              new Against(
                  replayed(other, outputs.against().get()),
                  evaluations.of(ChunkTable.Set.OTHER),
                  table.difference(ChunkTable.Set.OTHER));
        }
        ReplayResult result =
            new ReplayResult(
                wanted,
                table.count(ChunkTable.Set.REPLAYED),
                first.outcomes().count(OutcomeKind.REJECTED),
                null,
                skipped(skipped),
                first.outcomes().firstRejection(),
                report,
                replayed(policy, settings.engine()),
                throughput(first, table),
                against,
                outputs.againstLog().isPresent() ? table.difference(ChunkTable.Set.LIVE) : null);
        outputs.write(result, table, dataset, cameras, whole, steps);
        return result;
      }
    }
  }

  /** Evaluates sets of chunks against the same log. */
  private final class Evaluations {
    private final ChunkTable table;
    private final LeRobotDataset dataset;
    private final DatasetLog log;
    private final List<Episode> whole;
    private final StepRange steps;

    Evaluations(
        ChunkTable table,
        LeRobotDataset dataset,
        DatasetLog log,
        List<Episode> whole,
        StepRange steps) {
      this.table = table;
      this.dataset = dataset;
      this.log = log;
      this.whole = whole;
      this.steps = steps;
    }

    EvaluationReport of(ChunkTable.Set set) throws SQLException {
      int dimensions = dataset.actionDimensions();
      List<JointGroup> groups = JointGroup.of(dataset.actionNames(), dimensions);
      Evaluation evaluation =
          new Evaluation(
              log.motion(),
              names(dataset.actionNames(), dimensions),
              groups,
              dataset.fps(),
              settings.samples());
      for (Episode episode : whole) {
        evaluation.add(log.read(episode), table.predictions(set, episode.index()), steps.to());
      }
      return evaluation.report();
    }

    private static List<String> names(List<String> stated, int dimensions) {
      if (stated.size() == dimensions) {
        return stated;
      }
      List<String> numbers = new ArrayList<>();
      for (int d = 0; d < dimensions; d++) {
        numbers.add(Integer.toString(d));
      }
      return numbers;
    }
  }

  private static void requireEpisodes(DatasetLog log, List<Episode> episodes) {
    if (!episodes.isEmpty()) {
      return;
    }
    if (log.episodes().isEmpty() && !log.skipped().isEmpty()) {
      throw new IllegalArgumentException(
          "no episode can be replayed: " + log.skipped().values().iterator().next());
    }
    throw new IllegalArgumentException("no episode has a frame between --from and --to");
  }

  private EpisodeSelection selection(
      LeRobotDataset dataset, CameraMapping cameras, List<Episode> episodes, StepRange steps) {
    return new EpisodeSelection(
        dataset.root().toString(),
        episodes.stream().map(Episode::index).toList(),
        steps.from(),
        steps.to(),
        steps.stride(),
        cameras.sources(),
        settings.prompt().orElse(null),
        settings.samples());
  }

  private CameraMapping cameras(Asked policy, LeRobotDataset dataset, EngineSpec engine) {
    requireSize("state", dataset.stateDimensions(), policy.processor().stateDimensions(), engine);
    requireSize(
        "actions", dataset.actionDimensions(), policy.processor().actionDimensions(), engine);
    return CameraMapping.of(
        policy.processor().cameras(),
        dataset.cameras(),
        settings.cameras(),
        policy.processor()::camera);
  }

  private void requireSize(String what, int logged, int taken, EngineSpec engine) {
    if (logged != taken) {
      throw new IllegalArgumentException(
          "%s of %s has %d numbers, but the policy in %s has %d"
              .formatted(what, settings.source(), logged, engine.checkpoint(), taken));
    }
  }

  private void describe(
      Asked policy,
      LeRobotDataset dataset,
      CameraMapping cameras,
      DatasetLog log,
      List<Episode> episodes,
      StepRange steps) {
    describe(policy);
    out.printf(
        "dataset     %s (%s), %d episodes, %,d frames of %s a second%n",
        settings.source(),
        dataset.version(),
        episodes.size(),
        episodes.stream().mapToLong(e -> steps.count(e.length())).sum(),
        number(dataset.fps()));
    out.printf("cameras     %s%n", cameras.describe());
    log.skipped().forEach((episode, reason) -> out.printf("skipped     %d: %s%n", episode, reason));
    out.flush();
  }

  private void describe(Asked policy) {
    EngineSpec engine = settings.engine();
    out.printf(
        "policy      %s (%s), chunks of %d actions%n",
        engine.checkpoint(), policy.type(), policy.horizon());
    out.printf(
        "device      %s, %s, batches of up to %d%n",
        engine.device(), engine.precision(), engine.maxBatch());
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  // ------------------------------------------------------------------ recordings

  private ReplayResult recording(Path root) throws Exception {
    Asked policy = asked(settings.engine());
    Recording recording = Recording.open(settings.source());
    recording.refuse(settings);
    if (outputs.against().isPresent()) {
      throw new IllegalArgumentException(
          "--against compares on a dataset; %s is a recording".formatted(settings.source()));
    }
    describe(policy);
    out.printf("recording   %s, %,d observations%n", settings.source(), recording.observations());
    out.flush();
    WorkDirectory work =
        WorkDirectory.open(
            root.resolve("job"), identity(settings, policy).put("recording", recording.digest()));
    Computed computed =
        compute(
            settings,
            work,
            (environment, job) -> ReplayJob.recording(environment, recording.files(), job),
            recording.observations(),
            false);
    try (ChunkTable table = ChunkTable.create(root.resolve("chunks.duckdb"))) {
      table.load(ChunkTable.Set.REPLAYED, computed.chunks(), false);
      long chunks = table.count(ChunkTable.Set.REPLAYED);
      long rejected = computed.outcomes().count(OutcomeKind.REJECTED);
      long superseded = computed.outcomes().count(OutcomeKind.SUPERSEDED);
      requireSum(recording.observations(), chunks + rejected + superseded);
      Optional<Path> live = outputs.againstLog().or(recording::chunks);
      if (live.isPresent()) {
        table.load(ChunkTable.Set.LIVE, Recording.chunkFiles(live.get()), false);
      }
      ReplayResult result =
          new ReplayResult(
              recording.observations(),
              chunks,
              rejected,
              superseded,
              List.of(),
              computed.outcomes().firstRejection(),
              null,
              replayed(policy, settings.engine()),
              throughput(computed, table),
              null,
              live.isPresent() ? table.difference(ChunkTable.Set.LIVE) : null);
      outputs.writeChunks(table);
      return result;
    }
  }

  // ------------------------------------------------------------------ both

  /**
   * What a policy's job wrote.
   *
   * @param run null where it had been there before
   */
  private record Computed(List<Path> chunks, ReplayOutcomes outcomes, ReplayRun.Ended run) {}

  private Computed compute(
      ReplaySettings what, Asked policy, EpisodeSelection selection, Path root, long frames)
      throws Exception {
    ObjectNode identity = identity(what, policy);
    identity.put("dataset", selection.dataset());
    identity.put("frames", frames);
    identity.putPOJO("episodes", selection.episodes());
    identity.put("from", selection.from());
    identity.put("to", selection.to());
    identity.put("stride", selection.stride());
    identity.putPOJO("cameras", selection.cameras());
    identity.put("prompt", selection.prompt());
    return compute(
        what,
        WorkDirectory.open(root.resolve("job"), identity),
        (environment, _) -> ReplayJob.episodes(environment, selection),
        frames * what.samples(),
        true);
  }

  private Computed compute(
      ReplaySettings what,
      WorkDirectory work,
      ReplayRun.Observations observations,
      long total,
      boolean steps)
      throws Exception {
    ReplayRun.Ended run = null;
    if (work.isFinished()) {
      out.printf("%s has every answer already%n", work.root());
    } else {
      long before = WorkDirectory.records(work.chunks()) + WorkDirectory.records(work.outcomes());
      run =
          new ReplayRun(what, loader, work, stop, out, terminal)
              .execute(observations, total, before);
      if (!run.finished()) {
        long answers =
            WorkDirectory.records(work.chunks()) + WorkDirectory.records(work.outcomes());
        throw new ReplayStoppedException(
            settings.work().isPresent()
                ? "stopped with %,d of %,d answers; the same command goes on"
                    .formatted(answers, total)
                : "stopped with %,d of %,d answers, which are lost; --work DIR would keep them"
                    .formatted(answers, total));
      }
      if (before > 0) {
        // Its time is that of a part.
        run = null;
      }
    }
    return new Computed(
        WorkDirectory.containers(work.chunks()),
        ReplayOutcomes.read(WorkDirectory.containers(work.outcomes()), steps),
        run);
  }

  private static ObjectNode identity(ReplaySettings what, Asked policy) {
    return new ObjectMapper()
        .createObjectNode()
        .put("checkpoint", policy.digest())
        .put("device", what.engine().device())
        .put("precision", what.engine().precision())
        .put("maxBatch", what.engine().maxBatch())
        .put("seed", what.seed())
        .put("samples", what.samples());
  }

  /** Every step has its answers, and none has one twice. */
  private void requireAll(
      ChunkTable table, ChunkTable.Set set, ReplayOutcomes outcomes, long frames)
      throws SQLException {
    if (table.repeated(set) != 0) {
      throw new IllegalStateException(
          "%d chunks are there twice: this replay is not to be trusted"
              .formatted(table.repeated(set)));
    }
    requireSum(
        frames * settings.samples(), table.count(set) + outcomes.count(OutcomeKind.REJECTED));
  }

  private static void requireSum(long wanted, long found) {
    if (wanted != found) {
      throw new IllegalStateException(
          "%d answers were due, but %d are there: this replay is not to be trusted"
              .formatted(wanted, found));
    }
  }

  private static List<SkippedEpisode> skipped(Map<Integer, String> reasons) {
    return reasons.entrySet().stream()
        .map(reason -> new SkippedEpisode(reason.getKey(), reason.getValue()))
        .toList();
  }

  private ReplayedPolicy replayed(Asked policy, EngineSpec engine) {
    return new ReplayedPolicy(
        engine.checkpoint(),
        policy.digest(),
        engine.device(),
        engine.precision(),
        engine.maxBatch(),
        settings.seed());
  }

  private static Throughput throughput(Computed computed, ChunkTable table) throws SQLException {
    if (computed.run() == null) {
      return null;
    }
    double seconds = computed.run().seconds();
    return new Throughput(
        seconds,
        table.count(ChunkTable.Set.REPLAYED) / seconds,
        table.deviceSeconds(ChunkTable.Set.REPLAYED) / seconds);
  }

  /** What has to be known of a policy; its weights are the job's business. */
  private record Asked(Processor processor, String digest, String type, int horizon) {}

  private static Asked asked(EngineSpec engine) {
    try (Checkpoint checkpoint = Checkpoint.open(Path.of(engine.checkpoint()))) {
      return new Asked(
          Processor.open(checkpoint),
          checkpoint.id(),
          checkpoint.config().typeName(),
          checkpoint.config().chunkSize());
    }
  }
}
