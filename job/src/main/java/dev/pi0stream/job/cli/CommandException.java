package dev.pi0stream.job.cli;

import java.util.Objects;

/** The end of a command: one sentence for the person who ran it, and an exit code. */
public final class CommandException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  /**
   * A command that cannot go on.
   *
   * @param exitCode not 0
   */
  public CommandException(int exitCode, String sentence, Throwable cause) {
    super(Objects.requireNonNull(sentence, "sentence"), cause);
    if (exitCode == 0) {
      throw new IllegalArgumentException("exit code 0 says that all went well");
    }
    this.exitCode = exitCode;
  }

  /** The exit code of the process. */
  public int exitCode() {
    return exitCode;
  }
}
