package dev.pi0stream.schemas;

/** Bytes that are not a message of the wire contract; the message is one sentence that says why. */
public final class WireException extends Exception {
  private static final long serialVersionUID = 1L;

  WireException(String message) {
    super(message);
  }

  WireException(String message, Throwable cause) {
    super(message, cause);
  }
}
