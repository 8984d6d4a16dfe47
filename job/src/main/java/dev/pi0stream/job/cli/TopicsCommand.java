package dev.pi0stream.job.cli;

import dev.pi0stream.job.configuration.Configuration;
import dev.pi0stream.job.configuration.ConfigurationException;
import dev.pi0stream.job.configuration.ConfigurationOptions;
import dev.pi0stream.job.configuration.Settings;
import dev.pi0stream.job.embedded.Topics;
import dev.pi0stream.job.graph.KafkaSettings;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code pi0 topics}: makes the topics of a job. */
@Command(
    name = "topics",
    mixinStandardHelpOptions = true,
    description = {
      "Creates the topics of a job at a running broker, where they are missing: their names are"
          + " kafka.topics, their shape is kafka.create.",
      "Topics that exist stay as they are."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all topics exist",
      "1:the broker does not answer, or refuses",
      "2:a setting is wrong or missing"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 topics --config conf/pi0.yaml",
      "  pi0 topics --set kafka.bootstrap-servers=broker:9092 --set kafka.create.partitions=16"
    })
final class TopicsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private ConfigurationOptions options;

  @Override
  public Integer call() {
    Configuration configuration;
    KafkaSettings kafka;
    try {
      configuration = options.read();
      kafka = Settings.kafka(configuration);
    } catch (ConfigurationException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
    List<String> names = kafka.topics();
    List<String> created;
    try {
      created = Topics.create(kafka.bootstrapServers(), Settings.topics(configuration), names);
    } catch (KafkaException e) {
      throw new CommandException(CommandLine.ExitCode.SOFTWARE, e.getMessage(), e);
    }
    PrintWriter out = spec.commandLine().getOut();
    Map<String, String> result = new LinkedHashMap<>();
    for (String name : names) {
      result.put(name, created.contains(name) ? "created" : "was there");
      out.printf("%-20s %s%n", name, result.get(name));
    }
    out.flush();
    common.write(result);
    return CommandLine.ExitCode.OK;
  }
}
