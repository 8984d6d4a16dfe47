package dev.pi0stream.job.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Options that every command has; taken in by {@code @Mixin}. */
public final class CommonOptions {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Also write the result to this file, as JSON.")
  private Path json;

  /** Read by {@link Main} from the parsed arguments, where the command may not have begun. */
  @Option(names = "--verbose", description = "Show where a failure came from.")
  private boolean verbose;

  /** Whether the person wants to see stack traces. */
  public boolean verbose() {
    return verbose;
  }

  /**
   * Writes the result of a command to the file of {@code --json}, if there is one.
   *
   * @param result what Jackson can write: records, maps, lists, a tree
   */
  public void write(Object result) {
    if (json == null) {
      return;
    }
    try {
      if (json.getParent() != null) {
        Files.createDirectories(json.getParent());
      }
      Files.writeString(json, JSON.writeValueAsString(result) + System.lineSeparator());
    } catch (IOException e) {
      throw new CommandException(
          CommandLine.ExitCode.SOFTWARE,
          "--json %s: the result could not be written: %s".formatted(json, e.getMessage()),
          e);
    }
  }
}
