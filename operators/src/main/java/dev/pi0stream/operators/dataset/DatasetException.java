package dev.pi0stream.operators.dataset;

/** A dataset cannot be read; the message is one sentence that names the file and what is wrong. */
public final class DatasetException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DatasetException(String sentence) {
    super(sentence);
  }

  public DatasetException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
