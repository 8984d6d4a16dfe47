package dev.pi0stream.job.evaluation;

import java.util.List;

/**
 * What a robot would have had to play, had it asked the policy in an episode while it moved: it
 * asks with its newest frame as soon as it has the last answer, and an answer takes as long as its
 * batch was on the device.
 *
 * @param ticks control steps at the log's rate; that of the first frame is none, since no policy
 *     can have an action for it yet
 * @param starved those without an action that a chunk holds for them
 */
record Starvation(long ticks, long starved) {
  /**
   * Plays an episode.
   *
   * @param chunks of one sample, by frame
   * @param end beyond the last step that is played
   */
  static Starvation of(List<Prediction> chunks, int end, double fps) {
    if (chunks.isEmpty()) {
      return new Starvation(0, 0);
    }
    long ticks = 0;
    long starved = 0;
    int asked = 0;
    double arrives = arrival(chunks.getFirst(), fps);
    Prediction playing = null;
    for (int tick = chunks.getFirst().frame() + 1; tick < end; tick++) {
      double now = tick / fps;
      while (asked < chunks.size() && arrives <= now) {
        playing = chunks.get(asked);
        asked = newest(chunks, asked, arrives, fps);
        if (asked < chunks.size()) {
          arrives =
              Math.max(arrives, chunks.get(asked).frame() / fps)
                  + chunks.get(asked).inferenceSeconds();
        }
      }
      ticks++;
      if (playing == null || tick - playing.frame() >= playing.horizon()) {
        starved++;
      }
    }
    return new Starvation(ticks, starved);
  }

  private static double arrival(Prediction chunk, double fps) {
    return chunk.frame() / fps + chunk.inferenceSeconds();
  }

  /** The newest frame at a moment, or the next one where that was asked already. */
  private static int newest(List<Prediction> chunks, int asked, double moment, double fps) {
    int next = asked + 1;
    while (next + 1 < chunks.size() && chunks.get(next + 1).frame() / fps <= moment) {
      next++;
    }
    return next;
  }
}
