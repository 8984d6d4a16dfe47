package dev.pi0stream.operators.replay;

import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.dataset.DatasetException;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.EpisodeReader;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.Step;
import dev.pi0stream.operators.dataset.StepRange;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.session.ResolvedObservation;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.connector.base.source.reader.RecordsBySplits;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;

/** Reads the steps of one episode after the other. */
final class EpisodeSplitReader implements SplitReader<EpisodeSourceReader.Read, EpisodeSplit> {
  /** Steps handed over at once: few, since they carry frames. */
  private static final int STEPS = 4;

  /** The next step of an episode that was given up: it is not read again after a recovery. */
  private static final int ENDED = Integer.MAX_VALUE;

  private static final double NANOS_PER_SECOND = 1e9;

  private final EpisodeSelection selection;
  private final Deque<EpisodeSplit> waiting = new ArrayDeque<>();
  private LeRobotDataset dataset;
  private Current current;

  EpisodeSplitReader(EpisodeSelection selection) {
    this.selection = selection;
  }

  /** The episode that is read. */
  private record Current(EpisodeSplit split, Episode episode, EpisodeReader steps) {}

  @Override
  public RecordsWithSplitIds<EpisodeSourceReader.Read> fetch() {
    RecordsBySplits.Builder<EpisodeSourceReader.Read> read = new RecordsBySplits.Builder<>();
    EpisodeSplit split = current == null ? waiting.poll() : current.split;
    if (split == null) {
      return read.build();
    }
    int next = split.next();
    if (next == ENDED) {
      finish(read, split);
      return read.build();
    }
    try {
      if (current == null) {
        current = open(split);
      }
      for (int i = 0; i < STEPS && current.steps.hasNext(); i++) {
        Step step = current.steps.next();
        dataset.checkStatistics(current.episode, step);
        next = step.frameIndex() + selection.stride();
        read.add(split, new EpisodeSourceReader.Read(observation(split, step), null, next));
      }
      if (!current.steps.hasNext()) {
        finish(read, split);
      }
    } catch (DatasetException e) {
      read.add(
          split, new EpisodeSourceReader.Read(null, skipped(split, next, e.getMessage()), ENDED));
      finish(read, split);
    }
    return read.build();
  }

  @Override
  public void handleSplitsChanges(SplitsChange<EpisodeSplit> changes) {
    waiting.addAll(changes.splits());
  }

  @Override
  public void wakeUp() {
    // A fetch is short: a few steps.
  }

  @Override
  public void close() {
    if (current != null) {
      current.steps.close();
    }
    if (dataset != null) {
      dataset.close();
    }
  }

  private Current open(EpisodeSplit split) {
    if (dataset == null) {
      dataset = LeRobotDataset.openWithDefects(Path.of(selection.dataset()));
    }
    String defect = dataset.defects().get(split.episode());
    if (defect != null) {
      throw new DatasetException(defect);
    }
    Episode episode =
        dataset.episodes().stream()
            .filter(e -> e.index() == split.episode())
            .findFirst()
            .orElseThrow(
                () ->
                    new DatasetException(
                        "%s has no episode %d".formatted(dataset.root(), split.episode())));
    StepRange range =
        new StepRange(split.next(), Math.max(split.next(), selection.to()), selection.stride());
    return new Current(
        split,
        episode,
        dataset.read(episode, selection.cameras().values().stream().distinct().toList(), range));
  }

  private void finish(RecordsBySplits.Builder<EpisodeSourceReader.Read> read, EpisodeSplit split) {
    if (current != null) {
      current.steps.close();
      current = null;
    }
    read.addFinishedSplit(split.splitId());
  }

  private ResolvedObservation observation(EpisodeSplit split, Step step) {
    StepIdentity identity = new StepIdentity(split.episode(), step.frameIndex(), 0);
    Map<String, Frame> frames = new HashMap<>();
    selection.cameras().forEach((policy, camera) -> frames.put(policy, step.frames().get(camera)));
    return new ResolvedObservation(
        identity.position(selection.dataset()),
        identity.robot(),
        identity.episodeName(),
        step.frameIndex(),
        Instant.EPOCH.plusNanos(Math.round(step.timestamp() * NANOS_PER_SECOND)),
        null,
        selection.prompt() == null ? step.task() : selection.prompt(),
        step.state(),
        frames,
        null);
  }

  private Outcome skipped(EpisodeSplit split, int next, String sentence) {
    StepIdentity identity = new StepIdentity(split.episode(), next, 0);
    return new Outcome(
        identity.position(selection.dataset()),
        Outcome.Kind.REJECTED,
        null,
        identity.episodeName(),
        null,
        sentence,
        null,
        Instant.now());
  }
}
