package dev.pi0stream.model.text;

import dev.pi0stream.model.checkpoint.CheckpointException;

/** A {@code tokenizer.json} is missing, broken or of a kind that is not Gemma's. */
public class TokenizerException extends CheckpointException {
  private static final long serialVersionUID = 1L;

  public TokenizerException(String message) {
    super(message);
  }

  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
