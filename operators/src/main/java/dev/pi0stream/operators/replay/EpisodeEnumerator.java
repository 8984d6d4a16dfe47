package dev.pi0stream.operators.replay;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;

/**
 * Hands out episodes, each to the reader that asks next. It begins when all readers are there: one
 * is there as soon as the engine behind it has been loaded, and who takes longer is to find some
 * left.
 */
final class EpisodeEnumerator implements SplitEnumerator<EpisodeSplit, List<EpisodeSplit>> {
  private final SplitEnumeratorContext<EpisodeSplit> context;
  private final Deque<EpisodeSplit> left;
  private final Set<Integer> asking = new LinkedHashSet<>();
  private boolean begun;

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
    asking.add(reader);
    begun |= context.registeredReaders().size() == context.currentParallelism();
    if (begun) {
      asking.stream().filter(context.registeredReaders()::containsKey).forEach(this::answer);
      asking.clear();
    }
  }

  private void answer(int reader) {
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
