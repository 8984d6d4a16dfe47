package dev.pi0stream.job.configuration;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Where a command has its settings from; taken in by {@code @Mixin}. */
public final class ConfigurationOptions {
  private static final String ASSIGNMENT = "--set";

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Settings, as in conf/pi0.yaml (default: the fallbacks of docs/configuration.md).")
  private Path file;

  @Option(
      names = ASSIGNMENT,
      paramLabel = "KEY=VALUE",
      description =
          "A setting, stronger than the file, such as policy.device=cpu; may be given several"
              + " times.")
  private List<String> assignments = List.of();

  /**
   * Reads the settings.
   *
   * @throws ConfigurationException one sentence, when one is wrong
   */
  public Configuration read() {
    Configuration configuration =
        file == null ? Configuration.fallbacks() : Configuration.read(file);
    return configuration.with(assignments, ASSIGNMENT);
  }
}
