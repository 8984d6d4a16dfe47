package dev.pi0stream.model.processor;

/** An observation cannot be served; one sentence says why. */
public class ObservationException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public ObservationException(String message) {
    super(message);
  }

  public ObservationException(String message, Throwable cause) {
    super(message, cause);
  }
}
