package dev.pi0stream.model.checkpoint;

/** The two policies. */
public enum PolicyType {
  /** A state token and a time that is mixed into the action tokens. */
  PI0,
  /** The state in the prompt and a time that modulates the expert's norms. */
  PI05
}
