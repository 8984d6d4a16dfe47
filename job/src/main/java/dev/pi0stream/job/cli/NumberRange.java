package dev.pi0stream.job.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** The numbers that an option may be. */
record NumberRange(int least, int most) {
  static NumberRange of(int least, int most) {
    return new NumberRange(least, most);
  }

  static NumberRange from(int least) {
    return new NumberRange(least, Integer.MAX_VALUE);
  }

  /**
   * Refuses a number outside.
   *
   * @throws CommandLine.ParameterException naming the option, the number and the range
   */
  void require(CommandSpec command, String option, int value) {
    if (value < least || value > most) {
      throw new CommandLine.ParameterException(
          command.commandLine(),
          most == Integer.MAX_VALUE
              ? "%s %d: expected at least %d".formatted(option, value, least)
              : "%s %d: expected %d to %d".formatted(option, value, least, most));
    }
  }
}
