package dev.pi0stream.operators.telemetry;

/**
 * What is counted in a window. Windows are stored by these numbers' order: further ones go to the
 * end.
 */
enum Count {
  OBSERVATIONS,
  CHUNKS,
  SUPERSEDED,
  EXPIRED,
  REJECTED,
  MISSING_SEQUENCES,
  STARVED_TICKS,
  STALE_CHUNKS,
  CHUNKS_FROM_THE_FUTURE
}
