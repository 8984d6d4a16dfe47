package dev.pi0stream.job.cli;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The {@code pi0} command line; the launcher at the project's root starts it. */
@Command(
    name = "pi0",
    description = "The π0 and π0.5 robot policies, served to fleets of robots from one Flink job.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      RunCommand.class,
      ReplayCommand.class,
      RecordCommand.class,
      DatasetCommand.class,
      AuditCommand.class,
      FleetCommand.class,
      VerifyCommand.class,
      CheckpointCommand.class,
      ConfigCommand.class,
      TopicsCommand.class,
      BenchCommand.class,
      ResidencyCommand.class,
      DevicesCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 run --duration 20s",
      "  pi0 replay --dataset examples/episodes --report out.html",
      "  pi0 dataset examples/episodes",
      "  pi0 audit --kafka localhost:9092",
      "  pi0 verify --golden tests/golden --device cpu --precision bf16",
      "  pi0 checkpoint examples/checkpoint",
      "  pi0 config --config conf/pi0.yaml",
      "  pi0 devices --check",
      "  pi0 bench --random-weights pi0 --precision bf16",
      "  pi0 fleet --kafka localhost:9092 --robots 200 --duration 1m",
      "  pi0 test --all",
      "",
      "Every command has its own --help. `pi0 test` runs the project's tests."
    })
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  private Main() {}

  /** Runs the command that the arguments name and ends the JVM with its exit code. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /** The whole command line, with its handling of failures; for {@link #main} and tests. */
  public static CommandLine commandLine() {
    return new CommandLine(new Main())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(new Failures());
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "a command is missing; --help lists them");
  }

  /** The version of the jar that holds the program. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {
        "pi0-stream " + (version == null ? "(not packaged)" : version),
        "Java ${java.version} on ${os.name} ${os.arch}"
      };
    }
  }

  /** What goes wrong ends in one sentence; {@code --verbose} shows where it came from. */
  private static final class Failures implements CommandLine.IExecutionExceptionHandler {
    @Override
    public int handleExecutionException(
        Exception failure, CommandLine command, CommandLine.ParseResult arguments) {
      PrintWriter err = command.getErr();
      err.println("pi0 " + command.getCommandName() + ": " + sentence(failure));
      if (command.getParseResult().hasMatchedOption("--verbose")
          || System.getenv("PI0_DEBUG") != null) {
        failure.printStackTrace(err);
      }
      return failure instanceof CommandException expected
          ? expected.exitCode()
          : CommandLine.ExitCode.SOFTWARE;
    }

    private static String sentence(Throwable failure) {
      return switch (failure) {
        case CommandException expected -> expected.getMessage();
        case UncheckedIOException wrapped -> sentence(wrapped.getCause());
        case NoSuchFileException missing -> missing.getMessage() + ": no such file";
        case AccessDeniedException denied -> denied.getMessage() + ": no permission";
        case NullPointerException unexpected -> "internal error: " + unexpected;
        case Throwable other when other.getMessage() == null -> "internal error: " + other;
        default -> failure.getMessage();
      };
    }
  }
}
