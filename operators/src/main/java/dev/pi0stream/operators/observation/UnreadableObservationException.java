package dev.pi0stream.operators.observation;

/** A record that does not say whose observation it is; the message is one sentence. */
public final class UnreadableObservationException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String robot;
  private final String episode;
  private final Long sequence;

  UnreadableObservationException(String message) {
    this(message, null, null, null, null);
  }

  UnreadableObservationException(
      String message, Throwable cause, String robot, String episode, Long sequence) {
    super(message, cause);
    this.robot = robot;
    this.episode = episode;
    this.sequence = sequence;
  }

  /** The robot's name as far as it can be used; null otherwise. */
  public String robot() {
    return robot;
  }

  /** The episode as far as it can be used; null otherwise. */
  public String episode() {
    return episode;
  }

  /** The sequence as far as it can be used; null otherwise. */
  public Long sequence() {
    return sequence;
  }
}
