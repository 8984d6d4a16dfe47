package dev.pi0stream.job.audit;

import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.schemas.ActionChunk;
import java.util.Optional;

/**
 * What a robot was given last, in the order of the chunks topic.
 *
 * @param begun the number of the record with which that episode began; an episode that comes back
 *     behind two others begins anew
 * @param newest place of the newest observation that it has a chunk of
 * @param generation of that chunk
 * @param latest the latest generation that it heard of
 */
record Delivery(
    String episode,
    long sequence,
    long begun,
    SourcePosition newest,
    long generation,
    long latest) {
  /** The first chunk of a robot. */
  static Delivery first(ActionChunk chunk, long begun, SourcePosition source) {
    return new Delivery(
        chunk.getEpisode(),
        chunk.getSequence(),
        begun,
        source,
        chunk.getGeneration(),
        chunk.getGeneration());
  }

  /** Whether a chunk comes from a task that was replaced before the latest that was heard of. */
  Optional<String> replaced(ActionChunk chunk) {
    return chunk.getGeneration() < latest
        ? Optional.of(
            "its chunk is of generation %d and came behind one of %d: expected none of a task that was replaced"
                .formatted(chunk.getGeneration(), latest))
        : Optional.empty();
  }

  /** Whether a chunk is older than the newest, without a later generation that would say so. */
  Optional<String> stale(ActionChunk chunk, long begunWith, SourcePosition source) {
    return isOlder(chunk, begunWith, source) && chunk.getGeneration() <= generation
        ? Optional.of(
            "its chunk, sequence %d of episode '%s', came behind sequence %d of episode '%s': expected newer ones only within a generation"
                .formatted(chunk.getSequence(), chunk.getEpisode(), sequence, episode))
        : Optional.empty();
  }

  /** What the robot has after a further chunk. */
  Delivery with(ActionChunk chunk, long begunWith, SourcePosition source) {
    long heard = Math.max(latest, chunk.getGeneration());
    return isOlder(chunk, begunWith, source)
        ? new Delivery(episode, sequence, begun, newest, generation, heard)
        : new Delivery(
            chunk.getEpisode(),
            chunk.getSequence(),
            begunWith,
            source,
            chunk.getGeneration(),
            heard);
  }

  /** Episodes have no order but that of their records in the topic. */
  private boolean isOlder(ActionChunk chunk, long begunWith, SourcePosition source) {
    if (begunWith == begun) {
      return chunk.getSequence() < sequence;
    }
    return source.partition() == newest.partition() && source.offset() < newest.offset();
  }
}
