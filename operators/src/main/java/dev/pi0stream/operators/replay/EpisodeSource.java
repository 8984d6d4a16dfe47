package dev.pi0stream.operators.replay;

import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * The episodes of a LeRobot dataset. An episode is a split: readers ask for one after the other,
 * read it step by step, and remember in checkpoints which step comes next, so that a dataset of any
 * size streams through and a replay goes on where it was. Each frame is decoded once, however often
 * its step is asked.
 *
 * <p>An episode that turns out to be broken ends with the sentence that says why; the others go on.
 */
public final class EpisodeSource
    implements Source<LoggedStep, EpisodeSplit, List<EpisodeSplit>>,
        ResultTypeQueryable<LoggedStep> {
  private static final long serialVersionUID = 1L;

  private final EpisodeSelection selection;

  public EpisodeSource(EpisodeSelection selection) {
    this.selection = selection;
  }

  @Override
  public Boundedness getBoundedness() {
    return Boundedness.BOUNDED;
  }

  @Override
  public SplitEnumerator<EpisodeSplit, List<EpisodeSplit>> createEnumerator(
      SplitEnumeratorContext<EpisodeSplit> context) {
    return new EpisodeEnumerator(
        context,
        selection.episodes().stream()
            .map(episode -> new EpisodeSplit(episode, selection.from()))
            .toList());
  }

  @Override
  public SplitEnumerator<EpisodeSplit, List<EpisodeSplit>> restoreEnumerator(
      SplitEnumeratorContext<EpisodeSplit> context, List<EpisodeSplit> left) {
    return new EpisodeEnumerator(context, left);
  }

  @Override
  public SourceReader<LoggedStep, EpisodeSplit> createReader(SourceReaderContext context) {
    return new EpisodeSourceReader(selection, context);
  }

  @Override
  public SimpleVersionedSerializer<EpisodeSplit> getSplitSerializer() {
    return new EpisodeSplit.Serializer();
  }

  @Override
  public SimpleVersionedSerializer<List<EpisodeSplit>> getEnumeratorCheckpointSerializer() {
    return new EpisodeSplit.ListSerializer();
  }

  @Override
  public TypeInformation<LoggedStep> getProducedType() {
    return TypeInformation.of(LoggedStep.class);
  }
}
