package dev.pi0stream.operators.replay;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;

/** Hands out episodes, each to the reader that asks next. */
final class EpisodeEnumerator implements SplitEnumerator<EpisodeSplit, List<EpisodeSplit>> {
  private final SplitEnumeratorContext<EpisodeSplit> context;
  private final Deque<EpisodeSplit> left;

  EpisodeEnumerator(SplitEnumeratorContext<EpisodeSplit> context, List<EpisodeSplit> left) {
    this.context = context;
    this.left = new ArrayDeque<>(left);
  }

  @Override
  public void start() {
    // Readers ask by themselves.
  }

  @Override
  public void handleSplitRequest(int reader, String host) {
    if (!context.registeredReaders().containsKey(reader)) {
      return;
    }
    EpisodeSplit next = left.poll();
    if (next == null) {
      context.signalNoMoreSplits(reader);
    } else {
      context.assignSplit(next, reader);
    }
  }

  @Override
  public void addSplitsBack(List<EpisodeSplit> splits, int reader) {
    splits.reversed().forEach(left::addFirst);
  }

  @Override
  public void addReader(int reader) {
    // It asks by itself.
  }

  @Override
  public List<EpisodeSplit> snapshotState(long checkpoint) {
    return List.copyOf(left);
  }

  @Override
  public void close() {
    // Nothing is held.
  }
}
