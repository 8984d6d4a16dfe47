package dev.pi0stream.model.checkpoint;

import java.util.Locale;

/** The two policies. */
public enum PolicyType {
  /** A state token and a time that is mixed into the action tokens. */
  PI0,
  /** The state in the prompt and a time that modulates the expert's norms. */
  PI05;

  /** The name as configurations spell it: {@code pi0}, {@code pi05}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
