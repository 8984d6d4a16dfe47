package dev.pi0stream.tests.simulator;

/** Ways of breaking the system, each of which the checker has to find. */
enum Mutant {
  /** The system as it is. */
  NONE,
  /** One outcome is not written. */
  DROP_ONE,
  /** One outcome is written twice. */
  REPEAT_ONE,
  /** Two rows of a batch are exchanged on the device. */
  SWAP_ROWS,
  /** A task that was replaced still writes what it had. */
  OLD_GENERATION,
  /** The alarm of a batch that hangs does not ring. */
  FORGET_ALARM,
  /** A checkpoint does not hold what is at the engine. */
  LOSE_IN_FLIGHT,
  /**
   * After a recovery the sessions are what they were when the task failed, not at the checkpoint.
   */
  SESSIONS_FROM_THE_FUTURE,
  /** A waiting request that was superseded is served even so, behind the newer one. */
  SERVE_SUPERSEDED
}
