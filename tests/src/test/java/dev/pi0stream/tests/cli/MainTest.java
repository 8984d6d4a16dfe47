package dev.pi0stream.tests.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.cli.Main;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What all commands have in common. */
class MainTest {
  @TempDir private Path scratch;

  @Test
  void helpsWithExamples() {
    CommandLineRun run = CommandLineRun.of("--help");

    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("Usage: pi0", "verify", "checkpoint", "Examples:");
  }

  @Test
  void everyCommandHasHelpWithExamplesAndTakesAFileForItsResult() {
    for (Map.Entry<String, CommandLine> command : Main.commandLine().getSubcommands().entrySet()) {
      CommandLineRun run = CommandLineRun.of(command.getKey(), "--help");

      assertThat(run.code()).as(command.getKey()).isZero();
      assertThat(run.out())
          .as(command.getKey())
          .contains("Examples:", "pi0 " + command.getKey(), "--json=FILE", "--verbose");
    }
  }

  @Test
  void saysWhichVersionItIs() {
    assertThat(CommandLineRun.of("--version").out()).startsWith("pi0-stream ");
  }

  @Test
  void refusesToDoNothing() {
    CommandLineRun run = CommandLineRun.of();

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("a command is missing");
  }

  @Test
  void refusesACommandAndAnOptionThatAreNotThere() {
    assertThat(CommandLineRun.of("serve").code()).isEqualTo(2);
    assertThat(CommandLineRun.of("serve").err()).contains("'serve'");
    assertThat(CommandLineRun.of("verify", "--gold", "x").code()).isEqualTo(2);
  }

  @Test
  void saysWhenTheResultCannotBeWritten() {
    CommandLineRun run =
        CommandLineRun.of(
            "checkpoint", "golden/checkpoints/pi0-tiny", "--json", scratch.toString());

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("--json " + scratch + ": the result could not be written");
  }
}
