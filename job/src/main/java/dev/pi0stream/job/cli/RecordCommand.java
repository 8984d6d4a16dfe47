package dev.pi0stream.job.cli;

import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.run.Recorder;
import dev.pi0stream.schemas.ContainerFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pi0 record}: what a broker's topics hold, as a recording. */
@Command(
    name = "record",
    mixinStandardHelpOptions = true,
    description = {
      "Writes what the topics observations, chunks and outcomes of a broker hold to Avro container"
          + " files, which `pi0 replay` takes. Observations are kept as they were sent.",
      "`pi0 run --record DIR` records a run while it goes on."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all was recorded",
      "2:the broker cannot be read, or the folder is not empty"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 record --kafka broker:9092 recording",
      "  pi0 record --kafka broker:9092 --since 2026-01-31T08:00:00Z recording"
    })
final class RecordCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;

  @Parameters(paramLabel = "DIR", description = "An empty folder, or one that is not there.")
  private Path directory;

  @Option(names = "--kafka", required = true, paramLabel = "HOST:PORT", description = "The broker.")
  private String kafka;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      description = "Nothing that is older, such as 2026-01-31T08:00:00Z (default: all).")
  private String since;

  @Override
  public Integer call() throws Exception {
    try {
      Recorder.range(
          KafkaSettings.defaults(kafka), directory, since == null ? null : Instant.parse(since));
    } catch (DateTimeParseException e) {
      throw new CommandException(
          CommandLine.ExitCode.USAGE,
          "--since '%s' is no time; expected one such as 2026-01-31T08:00:00Z".formatted(since),
          e);
    } catch (IllegalArgumentException | KafkaException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
    Map<String, Long> counts = new LinkedHashMap<>();
    PrintWriter out = spec.commandLine().getOut();
    for (String folder : List.of("observations", "chunks", "outcomes")) {
      counts.put(folder, count(directory.resolve(folder)));
      out.printf("%-13s %,d%n", folder, counts.get(folder));
    }
    out.flush();
    common.write(counts);
    return CommandLine.ExitCode.OK;
  }

  private static long count(Path folder) throws IOException {
    long count = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        count += ContainerFile.count(file);
      }
    }
    return count;
  }
}
