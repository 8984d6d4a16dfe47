package dev.pi0stream.job.audit;

import dev.pi0stream.operators.source.SourcePosition;

/**
 * Something that must not be.
 *
 * @param place the observation's record; null where none can be told
 * @param sentence what was found and what was expected
 */
public record Finding(Kind kind, SourcePosition place, String sentence) {

  /** What can be wrong. */
  public enum Kind {
    /** A record has no outcome. */
    MISSING("without an outcome"),
    /** A record was answered more than once by the same generation. */
    TWICE("answered twice"),
    /** An answer names a record and somebody else's observation, or goes to another robot. */
    FOREIGN("answered as somebody else"),
    /** An answer names a record that does not exist. */
    STRAY("answers to nothing"),
    /** Answers to the same record contradict each other. */
    DIFFERENT("answered differently"),
    /** A chunk is older than one that its robot has, and does not say so. */
    STALE("older than what was delivered"),
    /** A chunk comes from a task that had been replaced. */
    OLD_GENERATION("from a replaced task"),
    /** An observation ended as superseded by nothing. */
    UNJUSTIFIED("superseded by nothing"),
    /** A record that is unreadable or broken was served. */
    BROKEN_SERVED("broken and served"),
    /** A chunk whose numbers cannot be executed. */
    MALFORMED("malformed"),
    /** A chunk's actions are not those that its observation leads to. */
    WRONG_ACTIONS("with other actions than their observation's");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** How it reads behind a number. */
    public String label() {
      return label;
    }
  }
}
