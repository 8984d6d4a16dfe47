package dev.pi0stream.operators.telemetry;

/** What is counted in a window, and at which place; windows are stored by these places. */
enum Count {
  OBSERVATIONS(0),
  CHUNKS(1),
  SUPERSEDED(2),
  EXPIRED(3),
  REJECTED(4),
  MISSING_SEQUENCES(5),
  STARVED_TICKS(6),
  STALE_CHUNKS(7),
  CHUNKS_FROM_THE_FUTURE(8);

  private final int place;

  Count(int place) {
    this.place = place;
  }

  int place() {
    return place;
  }
}
