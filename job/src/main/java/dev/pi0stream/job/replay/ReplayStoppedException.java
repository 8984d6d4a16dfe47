package dev.pi0stream.job.replay;

/** A replay was stopped before its end; the message says how it goes on. */
public final class ReplayStoppedException extends Exception {
  private static final long serialVersionUID = 1L;

  ReplayStoppedException(String message) {
    super(message);
  }
}
