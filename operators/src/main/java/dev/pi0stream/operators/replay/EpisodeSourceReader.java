package dev.pi0stream.operators.replay;

import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.session.ResolvedObservation;
import java.util.Map;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.connector.base.source.reader.RecordEmitter;
import org.apache.flink.connector.base.source.reader.SingleThreadMultiplexSourceReaderBase;

/** Reads episodes on a thread of its own, a few steps ahead of the job. */
@SuppressWarnings("try") // Flink's reader is closed by Flink, which handles interruption.
final class EpisodeSourceReader
    extends SingleThreadMultiplexSourceReaderBase<
        EpisodeSourceReader.Read, LoggedStep, EpisodeSplit, EpisodeSourceReader.Position> {

  /**
   * What was read of an episode.
   *
   * @param observation of sample 0; null where the episode is skipped from here on
   * @param skipped null where there is an observation
   * @param next the step to go on with
   */
  record Read(ResolvedObservation observation, Outcome skipped, int next) {}

  /** How far an episode was emitted. */
  static final class Position {
    private final int episode;
    private int next;

    Position(EpisodeSplit split) {
      episode = split.episode();
      next = split.next();
    }
  }

  EpisodeSourceReader(EpisodeSelection selection, SourceReaderContext context) {
    super(
        () -> new EpisodeSplitReader(selection),
        new Emitter(selection.samples()),
        context.getConfiguration(),
        context);
  }

  @Override
  public void start() {
    if (getNumberOfCurrentlyAssignedSplits() == 0) {
      context.sendSplitRequest();
    }
  }

  @Override
  protected void onSplitFinished(Map<String, Position> finished) {
    context.sendSplitRequest();
  }

  @Override
  protected Position initializedState(EpisodeSplit split) {
    return new Position(split);
  }

  @Override
  protected EpisodeSplit toSplitType(String id, Position position) {
    return new EpisodeSplit(position.episode, position.next);
  }

  /** Asks a step as often as there are samples: all before the next checkpoint, or none. */
  private record Emitter(int samples) implements RecordEmitter<Read, LoggedStep, Position> {
    @Override
    public void emitRecord(Read read, SourceOutput<LoggedStep> output, Position position) {
      if (read.skipped() != null) {
        output.collect(new LoggedStep(null, read.skipped()));
      } else {
        for (int sample = 0; sample < samples; sample++) {
          output.collect(new LoggedStep(as(sample, position.episode, read.observation()), null));
        }
      }
      position.next = read.next();
    }

    private static ResolvedObservation as(int sample, int episode, ResolvedObservation step) {
      StepIdentity identity = new StepIdentity(episode, Math.toIntExact(step.sequence()), sample);
      return new ResolvedObservation(
          step.source(),
          identity.robot(),
          step.episode(),
          step.sequence(),
          step.observedAt(),
          step.deadline(),
          step.prompt(),
          step.state(),
          step.frames(),
          step.execution());
    }
  }
}
