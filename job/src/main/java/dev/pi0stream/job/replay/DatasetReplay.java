package dev.pi0stream.job.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.job.evaluation.Evaluation;
import dev.pi0stream.job.evaluation.EvaluationReport;
import dev.pi0stream.job.evaluation.JointGroup;
import dev.pi0stream.job.replay.ReplayResult.Against;
import dev.pi0stream.job.replay.ReplayResult.SkippedEpisode;
import dev.pi0stream.job.run.CameraMapping;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.StepRange;
import dev.pi0stream.operators.replay.EpisodeSelection;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** The replay of a dataset's episodes, compared with the actions that were logged. */
final class DatasetReplay extends SourceReplay {
  DatasetReplay(
      ReplaySettings settings, ReplayOutputs outputs, Replay.Answering job, PrintWriter out) {
    super(settings, outputs, job, out);
  }

  @Override
  ReplayResult execute(Path root) throws Exception {
    AskedPolicy policy = AskedPolicy.of(settings);
    Optional<AskedPolicy> other =
        outputs.against().map(engine -> AskedPolicy.of(engine, settings.randomWeights()));
    try (LeRobotDataset dataset = LeRobotDataset.openWithDefects(settings.source())) {
      CameraMapping cameras = cameras(policy, dataset);
      other.ifPresent(another -> cameras(another, dataset));
      StepRange steps = settings.window().steps(dataset.fps());
      DatasetLog log = DatasetLog.read(dataset, settings.episodes());
      List<Episode> episodes =
          log.episodes().stream().filter(e -> steps.count(e.length()) > 0).toList();
      requireEpisodes(log, episodes);
      outputs.check(dataset.root(), log.skipped().isEmpty() && dataset.defects().isEmpty());
      describe(policy, other, dataset, cameras, frames(episodes, steps), episodes.size());

      EpisodeSelection selection = selection(dataset, cameras, episodes, steps);
      long due = frames(episodes, steps);
      ReplayAnswers answers = answers(settings, policy, selection, root, due);
      ReplayAnswers others =
          other.isEmpty()
              ? null
              : answers(
                  settings.with(other.get().engine(), Optional.empty()),
                  other.get(),
                  selection,
                  root.resolve("against"),
                  due);
      try (ChunkTable table = ChunkTable.create(root.resolve("chunks.duckdb"))) {
        Map<Integer, String> skipped = new TreeMap<>(log.skipped());
        load(table, ChunkTable.Set.REPLAYED, answers, skipped);
        if (others != null) {
          load(table, ChunkTable.Set.OTHER, others, skipped);
        }
        for (int episode : skipped.keySet()) {
          table.drop(episode);
        }
        List<Episode> whole =
            episodes.stream().filter(e -> !skipped.containsKey(e.index())).toList();
        if (whole.isEmpty()) {
          throw nothing(skipped);
        }
        long frames = frames(whole, steps);
        requireAll(table, ChunkTable.Set.REPLAYED, answers, frames);
        Against against = null;
        if (others != null) {
          requireAll(table, ChunkTable.Set.OTHER, others, frames);
          against =
              new Against(
                  other.get().replayed(settings.seed()),
                  evaluate(ChunkTable.Set.OTHER, table, dataset, log, whole, steps),
                  table.difference(ChunkTable.Set.OTHER));
        }
        ChunkDifference againstLog = null;
        if (outputs.againstLog().isPresent()) {
          table.load(ChunkTable.Set.LIVE, Recording.chunkFiles(outputs.againstLog().get()), false);
          againstLog = table.difference(ChunkTable.Set.LIVE);
        }
        ReplayResult result =
            new ReplayResult(
                frames,
                table.count(ChunkTable.Set.REPLAYED),
                answers.rejected(),
                null,
                skipped.entrySet().stream()
                    .map(reason -> new SkippedEpisode(reason.getKey(), reason.getValue()))
                    .toList(),
                answers.outcomes().firstRejection(),
                evaluate(ChunkTable.Set.REPLAYED, table, dataset, log, whole, steps),
                policy.replayed(settings.seed()),
                answers.throughput(table, settings.engine().devices().size()),
                against,
                againstLog);
        outputs.write(result, table, dataset, cameras, whole, steps);
        return result;
      }
    }
  }

  // ------------------------------------------------------------------ what is asked

  private CameraMapping cameras(AskedPolicy policy, LeRobotDataset dataset) {
    String checkpoint = policy.engine().checkpoint();
    requireSize(
        "state", dataset.stateDimensions(), policy.processor().stateDimensions(), checkpoint);
    requireSize(
        "actions", dataset.actionDimensions(), policy.processor().actionDimensions(), checkpoint);
    return CameraMapping.of(
        policy.processor().cameras(),
        dataset.cameras(),
        settings.cameras(),
        policy.processor()::camera);
  }

  private void requireSize(String what, int logged, int taken, String checkpoint) {
    if (logged != taken) {
      throw new IllegalArgumentException(
          "%s of %s has %d numbers, but the policy in %s has %d"
              .formatted(what, settings.source(), logged, checkpoint, taken));
    }
  }

  private static void requireEpisodes(DatasetLog log, List<Episode> episodes) {
    if (episodes.isEmpty()) {
      throw log.episodes().isEmpty() && !log.skipped().isEmpty()
          ? nothing(log.skipped())
          : new IllegalArgumentException("no episode has a frame between --from and --to");
    }
  }

  private static IllegalArgumentException nothing(Map<Integer, String> skipped) {
    return new IllegalArgumentException(
        "no episode can be replayed: " + skipped.values().iterator().next());
  }

  private static long frames(List<Episode> episodes, StepRange steps) {
    return episodes.stream().mapToLong(e -> steps.count(e.length())).sum();
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

  private void describe(
      AskedPolicy policy,
      Optional<AskedPolicy> other,
      LeRobotDataset dataset,
      CameraMapping cameras,
      long frames,
      int episodes) {
    policy.describe(out);
    other.ifPresent(
        another ->
            out.printf(
                "against     %s on %s, %s%n",
                another.engine().checkpoint(),
                another.engine().device(),
                another.engine().precision()));
    out.printf(
        "dataset     %s (%s), %d episodes, %,d frames of %s a second%n",
        settings.source(), dataset.version(), episodes, frames, dataset.fps());
    out.printf("cameras     %s%n", cameras.describe());
    out.flush();
  }

  private ReplayAnswers answers(
      ReplaySettings what, AskedPolicy policy, EpisodeSelection selection, Path root, long frames)
      throws Exception {
    ObjectNode identity = policy.identity(what);
    identity.put("dataset", selection.dataset());
    identity.put("frames", frames);
    identity.putPOJO("episodes", selection.episodes());
    identity.put("from", selection.from());
    identity.put("to", selection.to());
    identity.put("stride", selection.stride());
    identity.putPOJO("cameras", selection.cameras());
    identity.put("prompt", selection.prompt());
    return job.answers(
        what,
        WorkDirectory.open(root.resolve("job"), identity),
        (environment, _) -> ReplayJob.episodes(environment, selection),
        frames * what.samples(),
        true);
  }

  // ------------------------------------------------------------------ what came of it

  private static void load(
      ChunkTable table, ChunkTable.Set set, ReplayAnswers answers, Map<Integer, String> skipped)
      throws SQLException {
    table.load(set, answers.chunks(), true);
    skipped.putAll(answers.outcomes().skipped());
  }

  /** Every step has its answers, and none has one twice. */
  private void requireAll(ChunkTable table, ChunkTable.Set set, ReplayAnswers answers, long frames)
      throws SQLException {
    if (table.repeated(set) != 0) {
      throw new IllegalStateException(
          "%d chunks are there twice: this replay is not to be trusted"
              .formatted(table.repeated(set)));
    }
    ReplayAnswers.requireAll(frames * settings.samples(), table.count(set) + answers.rejected());
  }

  private EvaluationReport evaluate(
      ChunkTable.Set set,
      ChunkTable table,
      LeRobotDataset dataset,
      DatasetLog log,
      List<Episode> whole,
      StepRange steps)
      throws SQLException {
    int dimensions = dataset.actionDimensions();
    List<String> names =
        dataset.actionNames().size() == dimensions
            ? dataset.actionNames()
            : IntStream.range(0, dimensions).mapToObj(Integer::toString).toList();
    Evaluation evaluation =
        new Evaluation(
            log.motion(),
            names,
            JointGroup.of(dataset.actionNames(), dimensions),
            dataset.fps(),
            settings.samples());
    for (Episode episode : whole) {
      evaluation.add(log.read(episode), table.predictions(set, episode.index()), steps.to());
    }
    return evaluation.report();
  }
}
