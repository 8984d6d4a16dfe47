package dev.pi0stream.job.cli;

import dev.pi0stream.job.configuration.Configuration;
import dev.pi0stream.job.configuration.ConfigurationException;
import dev.pi0stream.job.configuration.ConfigurationOptions;
import dev.pi0stream.job.configuration.ReferencePage;
import dev.pi0stream.job.configuration.Setting;
import dev.pi0stream.job.configuration.Settings;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pi0 config}: whether a file of settings is right, and what holds with it. */
@Command(
    name = "config",
    mixinStandardHelpOptions = true,
    description = {
      "Checks a file of settings and shows every setting with the value that holds.",
      "A file that could not be used ends with the reason and exit code 2."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 config --config conf/pi0.yaml",
      "  pi0 config --config conf/pi0.yaml --set policy.precision=bf16 --json settings.json",
      "  pi0 config --page > docs/configuration.md"
    })
final class ConfigCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private ConfigurationOptions options;

  @Option(names = "--page", description = "Print the reference page of all settings instead.")
  private boolean page;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (page) {
      out.print(ReferencePage.text());
      out.flush();
      return CommandLine.ExitCode.OK;
    }
    Configuration configuration;
    try {
      configuration = options.read();
    } catch (ConfigurationException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (Setting<?> setting : Settings.ALL) {
      String value = configuration.written(setting).orElse(null);
      values.put(setting.key(), value);
      out.printf(
          "%-28s %s%s%n",
          setting.key(),
          value == null ? "-" : value,
          configuration.isGiven(setting) ? "" : "  (not given)");
    }
    out.flush();
    common.write(values);
    return CommandLine.ExitCode.OK;
  }
}
