package dev.pi0stream.operators.telemetry;

/**
 * Adds one event to what is known of its robot. The observations of a robot come in the order in
 * which they stand in Kafka, outcomes in any.
 */
final class RobotAccount {
  private final long periodMicros;
  private RobotProgress progress;
  private RobotWindow window;

  /**
   * @param periodMicros from control tick to control tick
   */
  RobotAccount(RobotProgress progress, RobotWindow window, long periodMicros) {
    this.progress = progress;
    this.window = window;
    this.periodMicros = periodMicros;
  }

  RobotProgress progress() {
    return progress;
  }

  RobotWindow window() {
    return window;
  }

  void add(RobotEvent event) {
    switch (event.kind()) {
      case OBSERVED -> observed(event);
      case CHUNK -> served(event);
      case SUPERSEDED -> window = window.plus(Count.SUPERSEDED, 1);
      case EXPIRED -> window = window.plus(Count.EXPIRED, 1);
      case REJECTED -> window = window.plus(Count.REJECTED, 1);
    }
  }

  private void observed(RobotEvent event) {
    window = window.plus(Count.OBSERVATIONS, 1);
    if (event.episode().equals(progress.previousEpisode())) {
      return;
    }
    boolean same = event.episode().equals(progress.episode());
    if (same && event.sequence() <= progress.sequence()) {
      return;
    }
    if (same) {
      window = window.plus(Count.MISSING_SEQUENCES, event.sequence() - progress.sequence() - 1);
    }
    progress = progress.observed(event.episode(), event.sequence());
  }

  private void served(RobotEvent event) {
    window = window.plus(Count.CHUNKS, 1);
    long age = event.at() - event.observedAt();
    window = age < 0 ? window.plus(Count.CHUNKS_FROM_THE_FUTURE, 1) : window.plusAge(age);
    long until = event.observedAt() + event.horizon() * periodMicros;
    if (until <= event.at()) {
      window = window.plus(Count.STALE_CHUNKS, 1);
    }
    if (event.episode().equals(progress.chunkEpisode())) {
      long starved = Math.max(0, (event.at() - progress.actionsUntil()) / periodMicros);
      window = window.plus(Count.STARVED_TICKS, starved);
      until = Math.max(until, progress.actionsUntil() + starved * periodMicros);
    } else {
      until = Math.max(until, event.at());
    }
    progress = progress.served(event.episode(), until);
  }
}
