package dev.pi0stream.job.replay;

import dev.pi0stream.schemas.OutcomeKind;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The replay of a recording, compared with what the live job answered. */
final class RecordingReplay extends SourceReplay {
  RecordingReplay(
      ReplaySettings settings, ReplayOutputs outputs, Replay.Answering job, PrintWriter out) {
    super(settings, outputs, job, out);
  }

  @Override
  ReplayResult execute(Path root) throws Exception {
    AskedPolicy policy = AskedPolicy.of(settings);
    Recording recording = Recording.open(settings.source());
    recording.refuse(settings, outputs);
    policy.describe(out);
    out.printf("recording   %s, %,d observations%n", settings.source(), recording.observations());
    out.flush();
    WorkDirectory work =
        WorkDirectory.open(
            root.resolve("job"), policy.identity(settings).put("recording", recording.digest()));
    ReplayAnswers answers =
        job.answers(
            settings,
            work,
            (environment, graph) -> ReplayJob.recording(environment, recording.files(), graph),
            recording.observations(),
            false);
    try (ChunkTable table = ChunkTable.create(root.resolve("chunks.duckdb"))) {
      table.load(ChunkTable.Set.REPLAYED, answers.chunks(), false);
      long chunks = table.count(ChunkTable.Set.REPLAYED);
      long superseded = answers.outcomes().count(OutcomeKind.SUPERSEDED);
      ReplayAnswers.requireAll(recording.observations(), chunks + answers.rejected() + superseded);
      Optional<Path> live = outputs.againstLog().or(recording::chunks);
      if (live.isPresent()) {
        table.load(ChunkTable.Set.LIVE, Recording.chunkFiles(live.get()), false);
      }
      outputs.writeChunks(table);
      return new ReplayResult(
          recording.observations(),
          chunks,
          answers.rejected(),
          superseded,
          List.of(),
          answers.outcomes().firstRejection(),
          null,
          policy.replayed(settings.seed()),
          answers.throughput(table, settings.engine().devices().size()),
          null,
          live.isPresent() ? table.difference(ChunkTable.Set.LIVE) : null);
    }
  }
}
