package dev.pi0stream.job.verify;

/** A golden folder that cannot be read: what is wrong with it, in one sentence. */
public final class GoldenException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  GoldenException(String sentence) {
    super(sentence);
  }

  GoldenException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
