package dev.pi0stream.model.checkpoint;

/**
 * A checkpoint's file cannot be used. The message is one sentence that names the file, what was
 * found and what was expected.
 */
public class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CheckpointException(String message) {
    super(message);
  }

  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
