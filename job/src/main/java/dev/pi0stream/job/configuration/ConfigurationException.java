package dev.pi0stream.job.configuration;

/** Settings that cannot be used; the message is one sentence for the person who wrote them. */
public final class ConfigurationException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  ConfigurationException(String sentence) {
    super(sentence);
  }

  ConfigurationException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
